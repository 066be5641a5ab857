"""What one page may cost: bytes of code, rows of diffs, and processor time as the last resort."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.lib.time_limit import TimeLimitExceeded, cpu_time_limit

# The lexers were tested with hostile input of this size.
MAX_BLOCK_BYTES = 16 * 1024


class Budget:
    """What one page may still spend on highlighting, parsing and diffs.

    `left_plain` counts the pieces of code that exceeded it and were not highlighted. `timed_out`: a time
    limit cut something short, so the page is incomplete and must not be cached.
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
        """Spends `amount` bytes if they are left. Returns whether they were."""
        if amount > self._bytes:
            return False
        self._bytes -= amount
        return True

    def take_code(self, amount: int) -> bool:
        """Spends `amount` bytes to highlight a piece of code. Returns False if it must stay plain."""
        if amount <= self._block_bytes and self.take(amount):
            return True
        self.left_plain += 1
        return False

    def has_rows(self, amount: int) -> bool:
        """Whether `amount` rows of diffs are left."""
        return amount <= self._rows

    def take_rows(self, amount: int) -> bool:
        """Spends `amount` rows of diffs if they are left. Returns whether they were."""
        if not self.has_rows(amount):
            return False
        self._rows -= amount
        return True

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Raises TimeLimitExceeded after `seconds` of processor time, or once the page has none left."""
        started_at = time.process_time()
        try:
            if self._seconds <= 0:
                raise TimeLimitExceeded
            with cpu_time_limit(min(seconds, self._seconds)):
                yield
        except TimeLimitExceeded:
            self.timed_out = True
            raise
        finally:
            self._seconds -= time.process_time() - started_at
