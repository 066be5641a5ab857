"""What happens to transactions while the database is not asked."""

from __future__ import annotations

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.db.deadlines import LimitedConnection, deadlines
from app.db.extensions import db
from tests.support.marks import on_both_databases, on_postgresql

pytestmark = on_both_databases


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "seconds", 3.0)


@on_postgresql
def test_a_request_that_fails_ends_its_transaction_while_the_database_is_not_asked(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        db.session.execute(text("SELECT 1"))
        monkeypatch.setattr(deadlines, "_is_open", True)
        with pytest.raises(OperationalError):
            db.session.execute(text("SELECT 1"))
        db.session.remove()


@on_postgresql
def test_a_rollback_on_a_broken_connection_is_none(app: Flask, postgres_database: str) -> None:
    connection = psycopg2.connect(postgres_database, connection_factory=LimitedConnection)
    with connection.cursor() as cursor, pytest.raises(psycopg2.OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.rollback()
    assert connection.closed


@on_postgresql
def test_the_next_request_gets_a_connection_that_works(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(OperationalError):
            db.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        db.session.remove()
        assert db.session.scalar(text("SELECT 1")) == 1
