"""What an error of the database means."""

from __future__ import annotations

import sqlite3

import psycopg2.errors
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, TimeoutError

# What these say without an SQLSTATE comes from a driver or the pool; others may quote values of statements.
QUOTABLE = (psycopg2.OperationalError, psycopg2.ProgrammingError, sqlite3.OperationalError, TimeoutError)


def is_disk_full(error: DBAPIError) -> bool:
    """Whether SQLite found no room on the disk (SQLITE_FULL)."""
    return "disk is full" in str(error.orig)


def is_refused(error: DBAPIError) -> bool:
    """Whether PostgreSQL could not be connected to, or its user may not execute a statement."""
    return error.statement is None or isinstance(error.orig, psycopg2.errors.InsufficientPrivilege)


def reason_of(error: Exception, url: URL) -> str:
    """Why the database at `url` failed: the class of the error, its code, where, and what a driver says.

    The code is the SQLSTATE, or SQLite's name. Nothing contains the values of a statement, which the text of
    an error from a PostgreSQL server may have.
    """
    cause = getattr(error, "orig", None) or error
    sqlstate = getattr(cause, "pgcode", None)
    code = sqlstate or getattr(cause, "sqlite_errorname", None)
    is_quotable = isinstance(cause, QUOTABLE) and not sqlstate
    lines = str(cause).strip().splitlines() if is_quotable else []
    words = [type(cause).__name__, code, f"at {_place(url)}"]
    return ": ".join([" ".join(word for word in words if word), *lines[:1]])


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}"
