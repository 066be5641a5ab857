"""The write-ahead log of SQLite, which has every page as it was before the last changes."""

from __future__ import annotations

from sqlalchemy import Engine


def truncate_log(engine: Engine) -> bool:
    """Moves the log into the database and empties its file, so that nothing of deleted rows is left in it.

    Returns False, at once, while others use the database. PostgreSQL cleans up by itself (docs/security.md).
    """
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Never to be used for anything else.
        connection.detach()
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
        return not connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
