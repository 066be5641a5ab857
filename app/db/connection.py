"""A connection to the database that stays open, for the queries of every request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from functools import cache, partial
from itertools import count
from typing import Any, TypeVarTuple
from weakref import WeakSet

from psycopg2 import errors
from sqlalchemy import Connection, CursorResult, Engine, Executable, Insert, Select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.compiler import SQLCompiler

Ts = TypeVarTuple("Ts")


class AutocommitConnection:
    """One connection in each thread, in autocommit mode; one that broke is replaced.

    Checking a connection out of the pool and returning it costs as much as the rest of a short request, and
    on PostgreSQL three more round trips.
    """

    def __init__(self, engine: Engine, *, is_durable: bool = True) -> None:
        """Without `is_durable`, SQLite does not wait for the disk; a power cut may undo the last changes."""
        self._engine = engine
        self._is_relaxed = not is_durable and engine.dialect.name == "sqlite"
        self._local = threading.local()
        self._all: WeakSet[Connection] = WeakSet()
        self._driver_query = cache(partial(_DriverQuery, engine))

    def close(self) -> None:
        """Returns the connections of all threads."""
        for connection in list(self._all):
            connection.close()
        self._local = threading.local()

    def first(self, query: Select[*Ts], values: Mapping[str, Any]) -> tuple[*Ts] | None:
        """The first row of a query, which must be a constant: it is compiled once and kept.

        The query goes straight to the DB-API driver. What SQLAlchemy does for each execution takes twice the
        time of the driver, for every page that is served from a cache.
        """
        try:
            with closing(self._connection().connection.cursor()) as cursor:
                return self._driver_query(query).first(cursor, values)
        except self._engine.dialect.loaded_dbapi.Error:
            # SQLAlchemy knows which errors of the driver mean that the connection broke.
            row = self.execute(query, values).first()
            return row and tuple(row)

    def insert_if_absent(self, insert: Insert, values: Mapping[str, Any]) -> bool:
        """Inserts a row, and returns whether its key was free; the database decides between two at once."""
        try:
            self.execute(insert, values)
        except IntegrityError:
            return False
        return True

    def execute(self, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
        """Executes a statement; a second time if the connection broke since the last one."""
        try:
            return self._connection().execute(statement, values)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._connection().execute(statement, values)

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.invalidated:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if self._is_relaxed:
                # Never to be used for anything else.
                connection.detach()
                connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
            self._all.add(connection)
        return connection


class _DriverQuery:
    """A query compiled for the DB-API driver, with the conversions of its result.

    `SQLCompiler.positiontup`, the order of the parameters of a driver that takes them by position, and
    `TypeEngine.result_processor` are described in https://docs.sqlalchemy.org/en/20/core/internals.html.
    """

    def __init__(self, engine: Engine, query: Select[*tuple[Any, ...]]) -> None:
        compiled = query.compile(engine)
        self._text = str(compiled)
        self._positions = compiled.positiontup
        self._prepared = _PreparedStatement(compiled) if engine.dialect.name == "postgresql" else None
        types = [column.type.dialect_impl(engine.dialect) for column in query.selected_columns]
        self._converters = [type.result_processor(engine.dialect, None) for type in types]

    def first(self, cursor: Any, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        self._execute(cursor, values)
        row = cursor.fetchone()
        if row is None:
            return None
        return tuple(
            convert(value) if convert else value for convert, value in zip(self._converters, row, strict=True)
        )

    def _execute(self, cursor: Any, values: Mapping[str, Any]) -> None:
        if self._prepared is None:
            cursor.execute(
                self._text, [values[name] for name in self._positions] if self._positions else values
            )
            return
        try:
            self._prepared.execute(cursor, values)
        except (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement):
            # A proxy such as PgBouncer gives each statement another connection of its own.
            self._prepared = None
            raise


class _PreparedStatement:
    """A query that PostgreSQL parses and plans once for each connection, which is half of its work."""

    _names = count(1)

    def __init__(self, compiled: SQLCompiler) -> None:
        places = {name: f"${number}" for number, name in enumerate(compiled.binds, 1)}
        values = ", ".join(f"%({name})s" for name in places)
        self._name = f"better_share_{next(self._names)}"
        self._prepare = f"PREPARE {self._name} AS {str(compiled) % places}"
        self._execute = f"EXECUTE {self._name}{f' ({values})' if values else ''}"
        self._connections: WeakSet[Any] = WeakSet()

    def execute(self, cursor: Any, values: Mapping[str, Any]) -> None:
        if cursor.connection not in self._connections:
            cursor.execute(self._prepare)
            self._connections.add(cursor.connection)
        cursor.execute(self._execute, values)
