"""What one response may cost, however small the session is that asks for it.

Readers and renderers of a session take the budget of the response that they work for, so that whatever
multiplies work is bounded in one place: bytes written, blocks rendered, rows of diffs, code highlighted, and
processor time as the last resort.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from app.lib.time_limit import TimeLimitExceeded, cpu_time_limit

# The lexers were tested with hostile input of this size.
MAX_CODE_BYTES = 16 * 1024
# Of processor time: all blocks of a page together, and one of them.
MAX_RENDER_SECONDS = 1.5
MAX_BLOCK_SECONDS = 1.0


class Budget:
    """What one response may still spend.

    `max_bytes` are of code to highlight, `max_block_bytes` those of one piece, and `max_written` of HTML.
    `max_seconds` of processor time are for parsing, the slowest kind of work. `left_plain` counts the pieces
    of code that were too much. `is_cut`: something was left out or cut short, so another try may show more.
    """

    def __init__(
        self,
        max_bytes: int = 256 * 1024,
        max_seconds: float = 1.0,
        *,
        max_block_bytes: int = MAX_CODE_BYTES,
        max_rows: int = 2_000,
        max_blocks: int = 2_000,
        max_written: int = 2 * 1024 * 1024,
    ) -> None:
        self._bytes = max_bytes
        self._block_bytes = max_block_bytes
        self._parse_seconds = max_seconds
        self._render_seconds = MAX_RENDER_SECONDS
        self._rows = max_rows
        self._blocks = max_blocks
        self._writable = max_written
        self.left_plain = 0
        self.is_cut = False

    def take(self, amount: int) -> bool:
        """Spends `amount` bytes of code if they are left. Returns whether they were."""
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

    def has_blocks(self, amount: int) -> bool:
        """Whether `amount` blocks can be rendered, and anything be written."""
        return amount <= self._blocks and self._writable > 0

    def take_block(self) -> bool:
        """Spends a block if one is left, and bytes and time to write it. Returns whether they were."""
        if not self.has_blocks(1) or self._render_seconds <= 0:
            self.is_cut = True
            return False
        self._blocks -= 1
        return True

    def write(self, amount: int) -> None:
        """Spends `amount` bytes that were written."""
        self._writable -= amount

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Raises TimeLimitExceeded after `seconds` of parsing, or once the response has none left."""
        started_at = time.thread_time()
        try:
            if self._parse_seconds <= 0:
                raise TimeLimitExceeded
            with cpu_time_limit(min(seconds, self._parse_seconds)):
                yield
        except TimeLimitExceeded:
            self.is_cut = True
            raise
        finally:
            self._parse_seconds -= time.thread_time() - started_at

    @contextmanager
    def block_limit(self) -> Iterator[None]:
        """Raises TimeLimitExceeded when rendering a block takes too long, whatever it is doing."""
        started_at = time.thread_time()
        before = self._render_seconds
        try:
            with cpu_time_limit(min(MAX_BLOCK_SECONDS, before)):
                yield
        except TimeLimitExceeded:
            self.is_cut = True
            raise
        finally:
            # Blocks nest, and the outer one's time is that of the inner ones too.
            self._render_seconds = before - (time.thread_time() - started_at)
