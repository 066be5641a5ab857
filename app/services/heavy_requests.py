"""Limits on how many requests that read whole sessions are answered at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from app.lib.slots import Slots

# How many locks visitors share, so that there are no more files than these.
VISITOR_LOCKS = 1024


class HeavyRequests:
    """At most half of a host's `workers` answer one at a time, and one of them for each visitor."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        # A worker that waited could not serve pages.
        self._slots = Slots(folder / "all", max(1, workers // 2), wait_seconds=0)

    @contextmanager
    def take(self, visitor: str) -> Iterator[bool]:
        """Yields whether a visitor, known by an address, may have one now."""
        number = crc32(visitor.encode(errors="replace")) % VISITOR_LOCKS
        visitor_slot = Slots(self._folder / f"visitor-{number}", 1, wait_seconds=0)
        with visitor_slot.take() as is_first:
            if not is_first:
                yield False
                return
            with self._slots.take() as is_free:
                yield is_free
