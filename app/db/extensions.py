"""The database extensions, unbound until `create_app` initialises them."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase

from app.db.deadlines import deadlines


class Base(DeclarativeBase):
    # Alembic can only change constraints on SQLite that have names.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# How long a migration or a command waits for a writer of SQLite.
COMMAND_SECONDS = 30

db = SQLAlchemy(model_class=Base)
migrate = Migrate()


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection: Any, _record: object) -> None:
    """Lets several workers use one SQLite file: readers never wait, and writers wait for each other.

    With synchronous=FULL a transaction that was committed survives a power cut. In WAL mode the default of
    other programs, NORMAL, may lose the last ones (https://www.sqlite.org/pragma.html#pragma_synchronous).
    With secure_delete, what is deleted is overwritten in the file as well.
    """
    if isinstance(connection, sqlite3.Connection):
        # Its own knows the capitals of ASCII only.
        connection.create_function("lower", 1, _lower, deterministic=True)
        seconds = deadlines.seconds or COMMAND_SECONDS
        connection.executescript(
            f"PRAGMA busy_timeout={seconds * 1000:.0f}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "PRAGMA secure_delete=ON"
        )


def _lower(text: str | None) -> str | None:
    return text and text.lower()
