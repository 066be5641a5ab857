"""Bounds what one page may cost: code, rows of diffs, processor time, and a timer as the last resort."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.lib.time_limit import TimeUp, timer

# The lexers were tried against hostile input of this size.
MAX_BLOCK_BYTES = 16 * 1024


class Budget:
    """What one page may still spend on highlighting, parsing and diffs.

    `left_plain` counts the pieces of code that were too much for it. `timed_out` tells that the timer cut
    something, so that the page is neither complete nor worth keeping.
    """

    def __init__(
        self,
        max_bytes: int = 256 * 1024,
        max_seconds: float = 4.0,
        *,
        max_block_bytes: int = MAX_BLOCK_BYTES,
        max_rows: int = 2_000,
    ) -> None:
        self._bytes = max_bytes
        self._block_bytes = max_block_bytes
        self._seconds = max_seconds
        self._rows = max_rows
        self.left_plain = 0
        self.timed_out = False

    def take(self, amount: int) -> bool:
        """Whether `amount` bytes were left to spend; spends them."""
        if amount > self._bytes:
            return False
        self._bytes -= amount
        return True

    def take_code(self, amount: int) -> bool:
        """Whether a piece of code of `amount` bytes may be highlighted; spends them."""
        if amount <= self._block_bytes and self.take(amount):
            return True
        self.left_plain += 1
        return False

    def has_rows(self, amount: int) -> bool:
        """Whether `amount` rows of diffs are left to spend."""
        return amount <= self._rows

    def take_rows(self, amount: int) -> bool:
        """Whether `amount` rows of diffs were left to spend; spends them."""
        if not self.has_rows(amount):
            return False
        self._rows -= amount
        return True

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Raises TimeUp when the block takes longer than `seconds`, or than the page has left."""
        started = time.process_time()
        try:
            if self._seconds <= 0:
                raise TimeUp
            with timer(min(seconds, self._seconds)):
                yield
        except TimeUp:
            self.timed_out = True
            raise
        finally:
            self._seconds -= time.process_time() - started
