"""One at a time, on all machines that share a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from app.db.extensions import db
from app.lib.file_lock import file_lock


@contextmanager
def turn(name: str, *, wait: bool) -> Iterator[bool]:
    """Whether nobody else is at `name` until the block ends; with `wait` not before that is so.

    The lock goes with the process that holds it, also when that is killed.
    """
    if db.engine.dialect.name == "sqlite":
        # It is never on two machines, and could only lock out every writer: a file beside it will do.
        with file_lock(Path(f"{db.engine.url.database}.turn"), wait=wait) as is_mine:
            yield is_mine
        return
    key = func.hashtextextended(name, 0)
    with db.engine.begin() as connection:
        if wait:
            connection.execute(select(func.pg_advisory_xact_lock(key)))
            yield True
        else:
            yield bool(connection.scalar(select(func.pg_try_advisory_xact_lock(key))))
