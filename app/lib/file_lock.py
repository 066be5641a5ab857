"""A lock between processes of one host."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Holds an exclusive `flock` on the file for the block; creates the file if necessary.

    Yields whether the lock was acquired; with `wait`, blocks until it is. The lock goes with the process that
    holds it, also when that is killed. Raises OSError.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_acquired = True
        except BlockingIOError:
            is_acquired = False
        yield is_acquired
