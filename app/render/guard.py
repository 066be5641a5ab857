"""Bounds what one page may cost: code, rows of diffs, processor time, and a timer as the last resort."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# The lexers were tried against hostile input of this size.
MAX_BLOCK_BYTES = 16 * 1024


class TimeUp(BaseException):
    """The time is over. Not an Exception, because lexers swallow those while they compile."""


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
            with _timer(min(seconds, self._seconds)):
                yield
        except TimeUp:
            self.timed_out = True
            raise
        finally:
            self._seconds -= time.process_time() - started


@contextmanager
def _timer(seconds: float) -> Iterator[None]:
    """Raises TimeUp in the block after `seconds` of processor time; a busy machine cuts nothing short.

    Only the main thread has timers: there a gunicorn sync worker renders. Elsewhere the budgets of bytes
    and lines stand alone. Timers nest: what is left of the outer one goes on after the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started = time.process_time()
    previous = signal.signal(signal.SIGVTALRM, _time_up)
    outer, _ = signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    if outer:
        signal.setitimer(signal.ITIMER_VIRTUAL, min(seconds, outer))
    try:
        yield
    finally:
        left = max(outer - (time.process_time() - started), 0.001) if outer else 0
        signal.setitimer(signal.ITIMER_VIRTUAL, left)
        signal.signal(signal.SIGVTALRM, previous)


def _time_up(_signal: int, _frame: FrameType | None) -> None:
    raise TimeUp
