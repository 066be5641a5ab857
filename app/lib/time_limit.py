"""Limits on the time of a block of code, whatever it is doing."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

# Python ignores what is raised while it frees an object, so a limit is raised again.
REPEAT_SECONDS = 0.1
# A timer of no time never ends.
MIN_SECONDS = 0.001


class TimeLimitExceeded(BaseException):
    """The time is over. Not an Exception: Pygments and botocore would swallow it."""


class _GarbageCollection:
    """Notes whether Python is collecting garbage, when what is raised is printed and ignored."""

    is_running = False

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        self.is_running = phase == "start"


_collection = _GarbageCollection()
gc.callbacks.append(_collection)


class _Timer(NamedTuple):
    """A timer of the process, the signal that it sends, and the clock that says whether a limit is over."""

    number: int
    signal: int
    clock: Callable[[], float]


# The timer counts what other threads do as well, the clock only what this one does.
_CPU = _Timer(signal.ITIMER_VIRTUAL, signal.SIGVTALRM, time.thread_time)
_WALL = _Timer(signal.ITIMER_REAL, signal.SIGALRM, time.monotonic)
# When the innermost limit of each timer is over, by its clock.
_ends: dict[_Timer, float] = {}


@contextmanager
def cpu_time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeLimitExceeded in the block after `seconds` of processor time of this thread.

    Processor time, so that a busy machine cuts nothing short. It interrupts regular expressions too, because
    CPython's `re` checks for signals while it matches.
    """
    with _limit(_CPU, seconds):
        yield


@contextmanager
def wall_time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeLimitExceeded in the block after `seconds`.

    It interrupts system calls too: Python runs signal handlers before it repeats one (PEP 475).
    """
    with _limit(_WALL, seconds):
        yield


@contextmanager
def _limit(timer: _Timer, seconds: float) -> Iterator[None]:
    """Limits nest: what is left of the outer one goes on after the block.

    Python delivers signals to the main thread only, which is where a gunicorn sync worker handles requests.
    In other threads there is no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer_end = _ends.get(timer)
    end = timer.clock() + seconds
    outer_handler = signal.signal(timer.signal, lambda *_: _raise_if_over(timer))
    _start(timer, end if outer_end is None else min(end, outer_end))
    try:
        yield
    finally:
        signal.setitimer(timer.number, 0)
        signal.signal(timer.signal, outer_handler)
        if outer_end is None:
            del _ends[timer]
        else:
            _start(timer, outer_end)


def _start(timer: _Timer, end: float) -> None:
    _ends[timer] = end
    signal.setitimer(timer.number, max(end - timer.clock(), MIN_SECONDS), REPEAT_SECONDS)


def _raise_if_over(timer: _Timer) -> None:
    if timer.clock() >= _ends[timer] and not _collection.is_running:
        raise TimeLimitExceeded
    _start(timer, _ends[timer])
