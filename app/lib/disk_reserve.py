"""Room on the disk for what must work when there is none left."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

RESERVE_BYTES = 8 * 1024 * 1024


class DiskReserve:
    """A file of RESERVE_BYTES that is given up so that deletes succeed on a full disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def create(self) -> None:
        """Takes the room, if it is not taken and there is enough."""
        with suppress(OSError):
            if self._path.exists() and self._path.stat().st_size == RESERVE_BYTES:
                return
            try:
                with self._path.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
            except OSError:
                self._path.unlink(missing_ok=True)

    def release(self) -> bool:
        """Gives the room up. Returns whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
