"""Keeps on local disk what was made from documents: shared by the workers, a folder for each life of a share.

A folder per share is what no cache library has, and what makes forgetting sure: whatever a share left behind
goes with its folder, in one call, without asking what was kept.
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.lib.file_lock import file_lock

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LOCK = ".lock"


class Cache:
    """Files below `folder`, of `max_bytes` in all once it has been trimmed.

    `life` names a share's id and creation, so that one who takes over an id finds nothing of the one before.
    Failures of the disk are no errors: what cannot be kept is made again.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._used: set[str] = set()

    def get(self, life: str, name: str) -> bytes | None:
        try:
            return (self._folder / life / name).read_bytes()
        except OSError:
            return None

    def map(self, life: str, name: str) -> memoryview | None:
        """A file of which only what is looked at is read; it outlives its removal."""
        try:
            with (self._folder / life / name).open("rb") as file:
                return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):
            return None

    def stamp(self, life: str, name: str) -> tuple[int, int] | None:
        """Tells the file that stands under a name from any other that stood there; None where none does.

        Asked before anything of a share is used, also of what is in memory.
        """
        self._used.add(life)
        try:
            # A string: this is asked for every page, and a path takes longer to make than to look at.
            stat = os.stat(f"{self._folder}/{life}/{name}")  # noqa: PTH116
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    def put(self, life: str, name: str, data: ReadableBuffer) -> None:
        """Keeps `data`, all or nothing, also when several workers make the same at once."""
        self.put_pieces(life, name, [data])

    def put_pieces(self, life: str, name: str, pieces: Iterable[ReadableBuffer]) -> None:
        """As `put`, of data that is not in one piece."""
        folder = self._folder / life
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as draft:
                try:
                    draft.writelines(pieces)
                    draft.close()
                    Path(draft.name).rename(folder / name)
                except BaseException:
                    Path(draft.name).unlink(missing_ok=True)
                    raise

    @contextmanager
    def turn(self, life: str, *, wait: bool) -> Iterator[bool]:
        """Whether no other process makes something for this share; with `wait`, once none does."""
        folder = self._folder / life
        with ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                is_free = stack.enter_context(file_lock(folder / LOCK, wait=wait))
            except OSError:  # also of a file system without locks
                is_free = True
            yield is_free

    def keep_only(self, life: str, beginnings: tuple[str, ...]) -> None:
        """Drops the files of a share whose names begin otherwise, as those of older versions do."""
        for path in _entries(self._folder / life):
            if not path.name.startswith((".", *beginnings)):
                with suppress(OSError):
                    path.unlink()

    def forget(self, life: str) -> None:
        shutil.rmtree(self._folder / life, ignore_errors=True)

    def lives(self) -> list[str]:
        """Every share that has a folder here."""
        return [path.name for path in _entries(self._folder)]

    def trim(self) -> None:
        """Drops the folders that were used longest ago until the rest fits."""
        self._note_uses()
        sizes = {path: _size(path) for path in _entries(self._folder)}
        used = {path: _changed_at(path) for path in sizes}
        total = sum(sizes.values())
        for path in sorted(sizes, key=lambda path: used[path]):
            if total <= self._max_bytes:
                return
            self.forget(path.name)
            total -= sizes[path]

    def _note_uses(self) -> None:
        """Dates the folders that this process has used since the last time."""
        used, self._used = self._used, set()
        for life in used:
            with suppress(OSError):
                os.utime(self._folder / life)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _size(folder: Path) -> int:
    size = 0
    for path in _entries(folder):
        with suppress(OSError):
            size += path.stat().st_size
    return size


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0
