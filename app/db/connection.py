"""A connection to the database that stays open, for the queries of every request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, TypeVarTuple
from weakref import WeakSet

from sqlalchemy import Connection, CursorResult, Engine, Executable, Insert, Row, Select
from sqlalchemy.exc import DBAPIError, IntegrityError

Ts = TypeVarTuple("Ts")


class AutocommitConnection:
    """One connection in each thread, in autocommit mode; one that broke is replaced.

    Checking a connection out of the pool and returning it costs as much as the rest of a short request, and
    on PostgreSQL three more round trips.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._local = threading.local()
        self._all: WeakSet[Connection] = WeakSet()

    def close(self) -> None:
        """Returns the connections of all threads."""
        for connection in list(self._all):
            connection.close()
        self._local = threading.local()

    def first(self, query: Select[*Ts], values: Mapping[str, Any]) -> Row[*Ts] | None:
        """The first row that a query finds."""
        return self.execute(query, values).first()

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
            self._local.connection = connection
            self._all.add(connection)
        return connection
