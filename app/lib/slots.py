"""A limit on how many processes of one host do something at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.lib.file_lock import file_lock

# How long a process waits for a slot, and how long it does not wait again after that was in vain.
WAIT_SECONDS = 1.0
REFUSE_SECONDS = 5.0
POLL_SECONDS = 0.02


class Slots:
    """At most `count` processes that share `folder` are inside of `take` at a time.

    Whoever finds none free waits for one, at most `wait_seconds`. A slot is a locked file, so it goes with
    the process that holds it, also when that is killed. Only main threads count: those of workers, whose
    requests wait.
    """

    def __init__(self, folder: Path, count: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._folder = folder
        self._count = count
        self._wait_seconds = wait_seconds
        self._is_holding = False
        self._refuses_until = 0.0

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Yields whether a slot became free; inside of another `take`, always.

        Waits for one, unless it has done so in vain lately: requests are served one after
        another, and many that wait each would hold up those behind them.
        """
        if self._is_holding or threading.current_thread() is not threading.main_thread():
            yield True
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:  # a disk that cannot be written is no reason to refuse
            yield True
            return
        with ExitStack() as slot:
            if not self._acquire(slot):
                self._refuses_until = time.monotonic() + REFUSE_SECONDS
                yield False
                return
            self._refuses_until = 0.0
            self._is_holding = True
            slot.callback(self._release)
            yield True

    def _acquire(self, slot: ExitStack) -> bool:
        ends_at = time.monotonic() + self._wait_seconds
        while not any(self._lock(number, slot) for number in range(self._count)):
            now = time.monotonic()
            if now >= ends_at or now < self._refuses_until:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _lock(self, number: int, slot: ExitStack) -> bool:
        """Locks the file of a slot until `slot` is closed, if it is free."""
        with ExitStack() as attempt:
            lock = file_lock(self._folder / f"slot-{number}", wait=False)
            if not attempt.enter_context(lock):
                return False
            slot.push(attempt.pop_all())
            return True

    def _release(self) -> None:
        self._is_holding = False
