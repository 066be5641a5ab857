"""A limit on the processor time of a block of code, whatever it is doing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeLimitExceeded(BaseException):
    """The time is over. Not an Exception, because Pygments swallows those while a lexer compiles."""


@contextmanager
def cpu_time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeLimitExceeded in the block after `seconds` of processor time.

    Processor time, so that a busy machine cuts nothing short. It interrupts regular expressions too, because
    CPython's `re` checks for signals while it matches. Limits nest: what is left of the outer one goes on
    after the block.

    Python delivers signals to the main thread only, which is where a gunicorn sync worker renders. In other
    threads there is no limit, and budgets of bytes and lines stand alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started_at = time.process_time()
    outer_handler = signal.signal(signal.SIGVTALRM, _raise_time_limit_exceeded)
    outer_seconds, _ = signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    if outer_seconds:
        signal.setitimer(signal.ITIMER_VIRTUAL, min(seconds, outer_seconds))
    try:
        yield
    finally:
        left = max(outer_seconds - (time.process_time() - started_at), 0.001) if outer_seconds else 0
        signal.setitimer(signal.ITIMER_VIRTUAL, left)
        signal.signal(signal.SIGVTALRM, outer_handler)


def _raise_time_limit_exceeded(_signal: int, _frame: FrameType | None) -> None:
    raise TimeLimitExceeded
