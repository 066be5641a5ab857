"""A connection to the database that stays open, for what is asked in every request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, TypeVarTuple
from weakref import WeakSet

from sqlalchemy import Connection, CursorResult, Engine, Executable, Row, Select
from sqlalchemy.exc import DBAPIError

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

    def close(self) -> None:
        """Gives the connections of all threads back."""
        for connection in list(self._all):
            connection.close()
        self._mine = threading.local()

    def first(self, query: Select[*Ts], values: Mapping[str, Any]) -> Row[*Ts] | None:
        """The first row that a query finds."""
        return self.execute(query, values).first()

    def execute(self, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
        """What a statement gives back. Executed twice where the connection broke meanwhile."""
        try:
            return self._connection().execute(statement, values)
        except DBAPIError as error:
            self._mine.connection = None
            if not error.connection_invalidated:
                raise
        # The database was restarted since it was last asked.
        return self._connection().execute(statement, values)

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._mine.connection = connection
            self._all.add(connection)
        return connection
