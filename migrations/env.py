"""Runs the migrations on the database of the current app, on behalf of `flask db`."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

# Any number will do, if nothing else that uses the same database takes it.
LOCK = 7_240_517_038_461

db = current_app.extensions["migrate"].db


@contextmanager
def one_at_a_time_on_sqlite() -> Iterator[None]:
    """Keeps servers that start together on one SQLite file from migrating together.

    It comes before the first connection, which gives a new file its write-ahead log: two that do so at once
    get an error from SQLite without waiting for each other.
    """
    if db.engine.dialect.name != "sqlite":
        yield
        return
    with Path(current_app.config["DATA_DIR"], "migrations.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_for_the_others_on_postgresql(connection: Connection) -> None:
    """Keeps servers that start together from migrating together until the current transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


if context.is_offline_mode():
    context.configure(url=db.engine.url, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with one_at_a_time_on_sqlite(), db.engine.connect() as connection:
        # SQLite cannot alter constraints: batch mode makes a new table and copies.
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
        with context.begin_transaction():
            wait_for_the_others_on_postgresql(connection)
            context.run_migrations()
