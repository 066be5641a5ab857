"""One at a time, on all machines that share a database."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from app.extensions import db


@contextmanager
def turn(name: str, *, wait: bool) -> Iterator[bool]:
    """Whether nobody else is at `name` until the block ends; with `wait` not before that is so.

    The lock goes with the process that holds it, also when that is killed.
    """
    if db.engine.dialect.name == "sqlite":
        with _turn_on_this_machine(wait) as is_mine:
            yield is_mine
        return
    key = func.hashtextextended(name, 0)
    with db.engine.begin() as connection:
        if wait:
            connection.execute(select(func.pg_advisory_xact_lock(key)))
            yield True
        else:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(key))))


@contextmanager
def _turn_on_this_machine(wait: bool) -> Iterator[bool]:
    """SQLite is never on two machines, and could only lock out every writer: a file beside it will do."""
    with Path(f"{db.engine.url.database}.turn").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
