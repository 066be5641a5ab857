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
def one_at_a_time(connection: Connection) -> Iterator[None]:
    """Keeps servers that start together from migrating together: the second one finds nothing to do."""
    if connection.dialect.name == "postgresql":
        # Held until the transaction of the migrations ends.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        yield
        return
    with Path(current_app.config["DATA_DIR"], "migrations.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if context.is_offline_mode():
    context.configure(url=db.engine.url, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with db.engine.connect() as connection:
        # SQLite cannot alter constraints: batch mode makes a new table and copies.
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
        with context.begin_transaction(), one_at_a_time(connection):
            context.run_migrations()
