"""Limits how long a server process waits for its database, and stops asking while that does not answer.

PostgreSQL's own time-outs end a statement on a server that runs. They are of no use if the server is stopped
or the network swallows packets: the driver waits in C for an answer, and TCP is content as long as the other
machine acknowledges. So a thread shuts down the socket of a connection whose answer is overdue, which the
driver reports as an OperationalError.

After that, statements fail at once instead of making one worker after another wait. Meanwhile a thread asks
the database every second, and lets statements through again once it answers.

Only servers call `enable`: migrations and commands may wait for anything but the connection.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2 import errors, extensions
from sqlalchemy import Engine, event

CONNECT_SECONDS = 2
# For migrations and commands; without it they would wait for minutes if packets are swallowed.
COMMAND_CONNECT_SECONDS = 10
# The server ends a statement that nobody waits for any more, and a connection whose client has vanished.
STATEMENT_SECONDS = 60
TCP_OPTIONS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}
PROBE_SECONDS = 1.0
TICK_SECONDS = 0.2
# What a probe asks: a lock on this table holds up every page.
PROBE = "SELECT 1 FROM shares LIMIT 1"

logger = logging.getLogger(__name__)


class DatabaseDeadlines:
    """The limits of one process; `seconds` is None where there are none."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._is_open = False
        self._probe_options: dict[str, Any] = {}
        self._ends_at: dict[extensions.connection, float] = {}
        self._lock = threading.Lock()

    def enable(self, engine: Engine, seconds: float) -> None:
        """Limits each statement on the connections of `engine` to `seconds`. For the life of the process."""
        self.seconds = seconds
        if engine.dialect.name != "postgresql":
            return
        _, options = engine.dialect.create_connect_args(engine.url)
        self._probe_options = {**options, **_connect_options(seconds)}
        event.listen(engine, "do_connect", self._connect)
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def limit(
        self, connection: extensions.connection, more_seconds: float = 0, *, may_refuse: bool = True
    ) -> Iterator[None]:
        """Raises OperationalError if the block waits too long for the database.

        Also if it is not to be asked now, unless `may_refuse` is false.
        """
        if self.seconds is None:
            yield
            return
        if may_refuse:
            self._refuse_while_open()
        ends_at = time.monotonic() + self.seconds + more_seconds
        self._ends_at[connection] = ends_at
        try:
            yield
        except (errors.QueryCanceled, errors.LockNotAvailable):
            self._open("a lock or a statement took too long")
            raise
        except psycopg2.OperationalError:
            if time.monotonic() > ends_at:
                self._open("it did not answer")
            raise
        finally:
            self._ends_at.pop(connection, None)

    def _connect(self, dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        """Connects in place of SQLAlchemy, whose event `do_connect` this is."""
        self._refuse_while_open()
        started_at = time.monotonic()
        try:
            return dialect.connect(*arguments, **{**options, **_connect_options(self.seconds or 0)})
        except psycopg2.OperationalError:
            # A server that refuses costs nobody time, and may be back for the next request.
            if time.monotonic() - started_at > CONNECT_SECONDS / 2:
                self._open("it does not accept connections")
            raise

    def _refuse_while_open(self) -> None:
        if self._is_open:
            raise psycopg2.OperationalError("the database did not answer a moment ago")

    def _open(self, reason: str) -> None:
        with self._lock:
            if self._is_open:
                return
            self._is_open = True
        logger.error("the database is not asked for now: %s", reason)
        threading.Thread(target=self._probe, daemon=True).start()

    def _probe(self) -> None:
        while True:
            time.sleep(PROBE_SECONDS)
            with suppress(psycopg2.Error):
                self._ask()
                break
        self._is_open = False
        logger.error("the database answers again")

    def _ask(self) -> None:
        connection = psycopg2.connect(**self._probe_options)
        try:
            self._ends_at[connection] = time.monotonic() + (self.seconds or 0)
            with connection.cursor() as cursor:
                cursor.execute(PROBE)
        finally:
            self._ends_at.pop(connection, None)
            connection.close()

    def _watch(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            now = time.monotonic()
            for connection, ends_at in list(self._ends_at.items()):
                if now > ends_at:
                    _shut_down(connection)


deadlines = DatabaseDeadlines()


class LimitedCursor(extensions.cursor):
    """A cursor whose statements are limited."""

    def execute(self, query: Any, vars: Any = None) -> None:
        with deadlines.limit(self.connection, _sending_seconds(vars)):
            super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        with deadlines.limit(self.connection):
            super().executemany(query, vars_list)


class LimitedConnection(extensions.connection):
    """A connection whose statements and transactions are limited."""

    def commit(self) -> None:
        with deadlines.limit(self):
            super().commit()

    def rollback(self) -> None:
        """Also while the database is not asked, since it ends a transaction; none is left when it fails."""
        try:
            with deadlines.limit(self, may_refuse=False):
                super().rollback()
        except psycopg2.Error:
            self.close()


CONNECT_ARGS: dict[str, Any] = {
    "connection_factory": LimitedConnection,
    "cursor_factory": LimitedCursor,
    # A server has a shorter limit (_connect_options).
    "connect_timeout": COMMAND_CONNECT_SECONDS,
}


def _connect_options(seconds: float) -> dict[str, Any]:
    limits = f"-c lock_timeout={seconds:.0f}s -c statement_timeout={STATEMENT_SECONDS}s"
    return {"connect_timeout": CONNECT_SECONDS, "options": limits, **TCP_OPTIONS}


def _sending_seconds(values: Any) -> float:
    """How much longer a statement may take that sends large values: a second for each megabyte."""
    if not isinstance(values, dict):
        return 0
    return sum(len(value) for value in values.values() if isinstance(value, bytes | memoryview)) / 1e6


def _shut_down(connection: extensions.connection) -> None:
    """Ends the wait of the thread that uses a connection."""
    with suppress(OSError, psycopg2.Error), socket.socket(fileno=os.dup(connection.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)
