"""Locks between all processes that use one database, on whichever host they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from sqlalchemy import func, select

from app.db.extensions import db
from app.lib.file_lock import file_lock

# Different names may share a lock.
LOCKS = 64


@contextmanager
def advisory_lock(name: str) -> Iterator[bool]:
    """Holds the lock `name` for the block, if nobody else does. Yields whether it was acquired.

    The lock goes with the process that holds it, also when that is killed; and on PostgreSQL with the
    connection, so that two may hold it for a while.
    """
    if db.engine.dialect.name == "sqlite":
        # SQLite has no such locks, and is never used by two hosts: files beside it will do.
        folder = Path(f"{db.engine.url.database}.locks")
        folder.mkdir(exist_ok=True)
        with file_lock(folder / str(crc32(name.encode()) % LOCKS), wait=False) as is_acquired:
            yield is_acquired
        return
    key = func.hashtextextended(name, 0)
    with db.engine.begin() as connection:
        yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(key))))
