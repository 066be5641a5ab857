"""Locks between all processes that use one database, on whichever host they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from app.db.extensions import db
from app.lib.file_lock import file_lock


@contextmanager
def advisory_lock(name: str, *, wait: bool) -> Iterator[bool]:
    """Holds the lock `name` for the block.

    Yields whether it was acquired; with `wait`, blocks until it is. The lock goes with the process that holds
    it, also when that is killed.
    """
    if db.engine.dialect.name == "sqlite":
        # SQLite has no such locks, and is never used by two hosts: a file beside it will do.
        with file_lock(Path(f"{db.engine.url.database}.turn"), wait=wait) as is_acquired:
            yield is_acquired
        return
    key = func.hashtextextended(name, 0)
    with db.engine.begin() as connection:
        if wait:
            connection.execute(select(func.pg_advisory_xact_lock(key)))
            yield True
        else:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(key))))
