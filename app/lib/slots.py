"""A limit on how many processes of one host do something at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.lib.file_lock import file_lock


class Slots:
    """At most `count` processes that share `folder` are inside of `take` at a time.

    A slot is a locked file, so it goes with the process that holds it, also when that is killed. Only main
    threads count: those of workers, whose requests wait.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count
        self._is_holding = False

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Yields whether a slot was free; inside of another `take`, always."""
        if self._is_holding or threading.current_thread() is not threading.main_thread():
            yield True
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:  # a disk that cannot be written is no reason to refuse
            yield True
            return
        for number in range(self._count):
            with self._lock(number) as is_acquired:
                if is_acquired:
                    self._is_holding = True
                    try:
                        yield True
                    finally:
                        self._is_holding = False
                    return
        yield False

    @contextmanager
    def _lock(self, number: int) -> Iterator[bool]:
        with file_lock(self._folder / f"slot-{number}", wait=False) as is_acquired:
            yield is_acquired
