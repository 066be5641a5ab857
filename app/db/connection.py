"""A connection to the database that stays open, for what is asked in every request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from functools import cache, partial
from typing import Any, TypeVarTuple
from weakref import WeakSet

from sqlalchemy import Connection, CursorResult, Engine, Executable, Insert, Select
from sqlalchemy.exc import DBAPIError, IntegrityError

Ts = TypeVarTuple("Ts")


class StandingConnection:
    """One connection in each thread, without transactions; one that broke is replaced.

    Taking a connection from the pool and giving it back costs as much as all else of a short request, and
    on PostgreSQL three more round trips.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = threading.local()
        self._all: WeakSet[Connection] = WeakSet()
        self._question = cache(partial(_Question, engine))

    def close(self) -> None:
        """Gives the connections of all threads back."""
        for connection in list(self._all):
            connection.close()
        self._mine = threading.local()

    def first(self, query: Select[*Ts], values: Mapping[str, Any]) -> tuple[*Ts] | None:
        """The first row that a query finds; the query is a constant, kept ready for the next time.

        The driver is asked directly: what SQLAlchemy does for each query costs more than the driver itself.
        """
        connection = self._connection().connection
        try:
            with closing(connection.cursor()) as cursor:
                return self._question(query).first(cursor, values)
        except self._engine.dialect.loaded_dbapi.Error:
            # SQLAlchemy knows which errors a new connection mends.
            row = self.execute(query, values).first()
            return row and tuple(row)

    def add(self, row: Insert, values: Mapping[str, Any]) -> bool:
        """Whether the row went in; its key alone decides between two that come at once."""
        try:
            self.execute(row, values)
        except IntegrityError:
            return False
        return True

    def execute(self, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
        """What a statement gives back. Executed twice where the connection broke meanwhile."""
        try:
            return self._connection().execute(statement, values)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # The database was restarted since it was last asked.
        return self._connection().execute(statement, values)

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is None or connection.invalidated:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._mine.connection = connection
            self._all.add(connection)
        return connection


class _Question:
    """A query as the driver of the database takes it."""

    def __init__(self, engine: Engine, query: Select[*tuple[Any, ...]]) -> None:
        compiled = query.compile(engine)
        self._text = str(compiled)
        self._places = compiled.positiontup
        types = [column.type.dialect_impl(engine.dialect) for column in query.selected_columns]
        self._readers = [type.result_processor(engine.dialect, None) for type in types]

    def first(self, cursor: Any, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        cursor.execute(self._text, [values[name] for name in self._places] if self._places else values)
        row = cursor.fetchone()
        if row is None:
            return None
        return tuple(read(value) if read else value for read, value in zip(self._readers, row, strict=True))
