"""Ends what takes too long, whatever it is doing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeUp(BaseException):
    """The time is over. Not an Exception, because lexers swallow those while they compile."""


@contextmanager
def timer(seconds: float) -> Iterator[None]:
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
