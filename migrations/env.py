"""Runs the migrations on the database of the current app; Alembic executes this file for `flask db`."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import context
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from app.db.errors import is_refused, reason_of
from app.lib.data_dir import make_private, unusable
from app.lib.release import RELEASE
from config import ConfigError

# The key of the advisory lock: any number that no other user of the database takes.
LOCK = 7_240_517_038_461

db = current_app.extensions["migrate"].db
logger = logging.getLogger("app.migrations")


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


def prepare_data_dir(folder: Path) -> None:
    """Make what others could read private. Raise ConfigError for a folder that cannot be used."""
    if reason := unusable(folder):
        raise ConfigError(reason)
    is_file = db.engine.dialect.name == "sqlite"
    files = [Path(f"{db.engine.url.database}{end}") for end in ("", "-wal", "-shm")] if is_file else []
    for warning in make_private(folder, files):
        logger.warning(warning)


@contextmanager
def connected() -> Iterator[Connection]:
    """Connect to the database. Raise ConfigError if it cannot be used.

    Also for a damaged file, which would fail at some later query.
    """
    try:
        with db.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                result = connection.scalar(text("PRAGMA quick_check(1)"))
                if result != "ok":
                    raise damaged(result)
            yield connection
    except OperationalError as error:  # out of reach, locked, out of space, not readable
        raise cannot_be_used(error) from None
    except DatabaseError as error:
        if db.engine.dialect.name == "sqlite":
            raise damaged(str(error.orig)) from None
        if is_refused(error):
            raise cannot_be_used(error) from None
        raise


def cannot_be_used(error: DBAPIError) -> ConfigError:
    return ConfigError(f"the database cannot be used ({reason_of(error, db.engine.url)}).")


def damaged(reason: str) -> ConfigError:
    return ConfigError(
        f"the database {db.engine.url.database!r} is damaged ({reason}). "
        "Restore it from a backup (docs/backup.md), then run 'flask shares check'."
    )


def refuse_newer_schema(connection: Connection) -> None:
    """Raise ConfigError if a later release has migrated the database."""
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(context.config).walk_revisions()}
    if current is None or current in known:
        return
    release = "a later release"
    if inspect(connection).has_table("schema_release"):
        release = connection.scalar(text("SELECT release FROM schema_release")) or release
    raise ConfigError(
        f"this is Better Share {RELEASE}, and the database was migrated by {release} ({current}). "
        "Install that release, or restore the backup from before the upgrade (docs/upgrading.md)."
    )


def record_release(connection: Connection) -> None:
    if inspect(connection).has_table("schema_release"):
        connection.execute(text("DELETE FROM schema_release"))
        connection.execute(
            text("INSERT INTO schema_release (id, release) VALUES (1, :release)"), {"release": RELEASE}
        )


if context.is_offline_mode():
    context.configure(url=db.engine.url, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    prepare_data_dir(Path(current_app.config["DATA_DIR"]).resolve())
    with sqlite_migration_lock(), connected() as connection:
        refuse_newer_schema(connection)
        connection.rollback()
        # SQLite cannot alter constraints: batch mode makes a new table and copies.
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
        with context.begin_transaction():
            lock_postgresql_migrations(connection)
            context.run_migrations()
            record_release(connection)
        # SQLite has no transactions around changes of a schema; Alembic then commits nothing.
        connection.commit()
