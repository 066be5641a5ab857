"""What the log says of a database that fails: enough for its operator, and nothing that anybody stored."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.errors import reason_of
from app.db.extensions import db
from tests.conftest import running_app
from tests.support.client import create
from tests.support.marks import on_both_databases
from tests.support.servers import free_ports


@on_both_databases
def test_a_failed_statement_is_named_without_its_values(app: Flask) -> None:
    insert = text("INSERT INTO schema_release (id, release) VALUES (7, :release)")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(insert, {"release": "hunter2"})
        with pytest.raises(DBAPIError) as failed:
            connection.execute(insert, {"release": "hunter2"})
        reason = reason_of(failed.value, db.engine.url)
        place = db.engine.url.database if db.engine.dialect.name == "sqlite" else db.engine.url.host
    assert reason.startswith(("UniqueViolation 23505 at ", "IntegrityError SQLITE_CONSTRAINT_PRIMARYKEY at "))
    assert str(place) in reason
    # Nor do the values stand in the traceback of an error that nobody expects.
    assert "hunter2" not in reason + str(failed.value)


def test_a_server_that_refuses_connections_is_named_with_its_port(
    settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    [port] = free_ports(1)
    address = f"postgresql://me:hunter2@127.0.0.1:{port}/name"
    with running_app({**settings, "DATABASE_URL": address, "RATELIMIT_ENABLED": "false"}) as app:
        assert create(app.test_client()).status_code == 503
    said = next(message for message in caplog.messages if "the database failed" in message)
    assert said.startswith(f"the database failed: OperationalError at 127.0.0.1:{port}: connection to server")
    assert "Connection refused" in said
    assert "hunter2" not in caplog.text


def test_an_sqlite_database_is_named_by_its_file(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context(), db.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE shares")
        connection.commit()
    caplog.set_level(logging.ERROR)
    assert client.get("/share/GhIjKlMn").status_code == 503
    path = Path(app.config["DATA_DIR"], "better-share.db")
    assert f"OperationalError SQLITE_ERROR at {path}: no such table: shares" in caplog.text


def test_a_pool_without_a_free_connection_says_so(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/name.db")
    reason = reason_of(PoolTimeout("QueuePool limit of size 5 reached"), engine.url)
    assert reason == f"TimeoutError at {tmp_path}/name.db: QueuePool limit of size 5 reached"
