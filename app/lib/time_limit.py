"""Limits on the time of a block of code, whatever it is doing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Python ignores what is raised while it frees an object, so a limit is raised again.
REPEAT_SECONDS = 0.1


class TimeLimitExceeded(BaseException):
    """The time is over. Not an Exception: Pygments and botocore would swallow it."""


@contextmanager
def cpu_time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeLimitExceeded in the block after `seconds` of processor time.

    Processor time, so that a busy machine cuts nothing short. It interrupts regular expressions too, because
    CPython's `re` checks for signals while it matches.
    """
    with _limit(signal.ITIMER_VIRTUAL, signal.SIGVTALRM, time.process_time, seconds):
        yield


@contextmanager
def wall_time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeLimitExceeded in the block after `seconds`.

    It interrupts system calls too: Python runs signal handlers before it repeats one (PEP 475).
    """
    with _limit(signal.ITIMER_REAL, signal.SIGALRM, time.monotonic, seconds):
        yield


@contextmanager
def _limit(timer: int, signal_number: int, clock: Callable[[], float], seconds: float) -> Iterator[None]:
    """Limits nest: what is left of the outer one goes on after the block.

    Python delivers signals to the main thread only, which is where a gunicorn sync worker handles requests.
    In other threads there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started_at = clock()
    outer_handler = signal.signal(signal_number, _raise_time_limit_exceeded)
    outer_seconds, _ = signal.setitimer(timer, max(seconds, 0.001), REPEAT_SECONDS)
    if outer_seconds:
        signal.setitimer(timer, max(min(seconds, outer_seconds), 0.001), REPEAT_SECONDS)
    try:
        yield
    finally:
        left = max(outer_seconds - (clock() - started_at), 0.001) if outer_seconds else 0
        signal.setitimer(timer, left, REPEAT_SECONDS if left else 0)
        signal.signal(signal_number, outer_handler)


def _raise_time_limit_exceeded(_signal: int, _frame: FrameType | None) -> None:
    raise TimeLimitExceeded
