"""Tasks in daemon threads, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs at most `limit` tasks at a time. One that hangs takes a place until it ends, and nothing else."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: set[str] = set()
        self._changed = threading.Condition()

    def start(self, name: str, task: Callable[[], None], *, timeout: float) -> bool:
        """Starts a task once there is a place; does nothing if one of its name is running.

        Returns False if there was no place within `timeout` seconds.
        """
        with self._changed:
            if name in self._running:
                return True
            if not self._changed.wait_for(lambda: len(self._running) < self._limit, max(0, timeout)):
                return False
            self._running.add(name)
        threading.Thread(target=self._run, args=[name, task], daemon=True).start()
        return True

    def wait(self, timeout: float) -> None:
        """Waits until every task has ended, but not longer than `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, max(0, timeout))

    def _run(self, name: str, task: Callable[[], None]) -> None:
        try:
            task()
        finally:
            with self._changed:
                self._running.discard(name)
                self._changed.notify_all()
