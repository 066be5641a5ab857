"""The files of the cache, in a folder for each share. Failures of the disk are no errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.lib.files import DamagedFile, map_checked, read_checked, write_checked
from app.services.shares.live_share import LiveShare

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

T = TypeVar("T")


class CacheFiles:
    """The folders below `folder`. `on_damage` is called for each file that is found damaged, and removed."""

    def __init__(self, folder: Path, on_damage: Callable[[], None]) -> None:
        self.folder = folder
        self.on_damage = on_damage

    def path(self, share: LiveShare, name: str) -> Path:
        return self.folder / share.cache_key / name

    def read(self, share: LiveShare, name: str) -> bytes | None:
        """The content of a file; None if it is missing or was damaged."""
        return self._undamaged(self.path(share, name), read_checked)

    def map(self, share: LiveShare, name: str) -> memoryview | None:
        """As `read`, mapped into memory."""
        return self._undamaged(self.path(share, name), map_checked)

    def write(self, share: LiveShare, name: str, chunks: Iterable[ReadableBuffer]) -> bool:
        """Replaces a file; if it cannot be, what was there is removed. Returns whether it was replaced."""
        path = self.path(share, name)
        try:
            write_checked(path, chunks)
        except OSError:
            with suppress(OSError):
                path.unlink()
            return False
        return True

    def _undamaged(self, path: Path, read: Callable[[Path], T | None]) -> T | None:
        try:
            return read(path)
        except DamagedFile:
            self.on_damage()
            with suppress(OSError):
                path.unlink()
            return None
