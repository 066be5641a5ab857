"""Runs the migrations on the database of the current app; Alembic executes this file for `flask db`."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

# The key of the advisory lock: any number that no other user of the database takes.
LOCK = 7_240_517_038_461

db = current_app.extensions["migrate"].db


@contextmanager
def sqlite_migration_lock() -> Iterator[None]:
    """Serialise the migrations of servers that start together on one SQLite file.

    The lock is taken before the first connection, which switches a new file to write-ahead logging: of two
    that do so at once, SQLite fails one without waiting for its busy timeout.
    """
    if db.engine.dialect.name != "sqlite":
        yield
        return
    with Path(current_app.config["DATA_DIR"], "migrations.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def lock_postgresql_migrations(connection: Connection) -> None:
    """Hold an advisory lock on PostgreSQL until the current transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


if context.is_offline_mode():
    context.configure(url=db.engine.url, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with sqlite_migration_lock(), db.engine.connect() as connection:
        # SQLite cannot alter constraints: batch mode makes a new table and copies.
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
        with context.begin_transaction():
            lock_postgresql_migrations(connection)
            context.run_migrations()
