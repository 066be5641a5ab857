"""The connection that stays open, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import NullPool, bindparam, create_engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from tests.support.marks import on_both_databases, on_postgresql, without_rate_limits

OF_A_SHARE = select(Share.share_id, Share.created_at, Share.expires_at, Share.revision).where(
    Share.share_id == bindparam("share_id"), Share.revision >= bindparam("revision")
)
BROKEN = select(Share.share_id, text("nothing_of_this_name"))
CLOSE_OTHERS = text(
    """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
)
pytestmark = [on_both_databases, without_rate_limits]
CREATED = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.fixture
def connection(app: Flask) -> Iterator[AutocommitConnection]:
    with app.app_context():
        row = {"session_id": "ses_1", "secret": "", "created_at": CREATED, "last_link_at": CREATED}
        opened = services().connection
        opened.insert_if_absent(
            insert(Share), {**row, "share_id": "a-share", "expires_at": CREATED + timedelta(days=1)}
        )
        opened.insert_if_absent(insert(Share), {**row, "share_id": "endless"})
        yield opened


def found(connection: AutocommitConnection, share_id: str) -> Any:
    return connection.first(OF_A_SHARE, {"share_id": share_id, "revision": 0})


def close_others(*_: Any) -> None:
    engine = create_engine(db.engine.url, poolclass=NullPool)
    with engine.connect() as other:
        other.execute(CLOSE_OTHERS)


def test_a_row_is_as_sqlalchemy_reads_it(connection: AutocommitConnection) -> None:
    for share_id in ("a-share", "endless"):
        row = connection.execute(OF_A_SHARE, {"share_id": share_id, "revision": 0}).one()
        assert found(connection, share_id) == tuple(row)
        assert row.created_at == CREATED
        assert found(connection, share_id)[1].tzinfo is UTC


def test_no_row_is_none(connection: AutocommitConnection) -> None:
    assert found(connection, "missing") is None


def test_a_statement_that_a_proxy_lost_is_not_prepared_again(connection: AutocommitConnection) -> None:
    assert found(connection, "a-share")
    if db.engine.dialect.name == "postgresql":
        connection.execute(text("DEALLOCATE ALL"), {})
    prepared: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: prepared.append(args[2]))
    assert [found(connection, "a-share")[0] for _ in range(3)] == ["a-share"] * 3
    # SQLAlchemy was needed for the first of them only.
    assert len(prepared) <= 1


def test_a_row_whose_key_is_taken_does_not_go_in(connection: AutocommitConnection) -> None:
    row = {"session_id": "ses_2", "secret": "", "created_at": CREATED, "last_link_at": CREATED}
    assert not connection.insert_if_absent(insert(Share), {**row, "share_id": "a-share"})
    assert connection.insert_if_absent(insert(Share), {**row, "share_id": "another"})
    assert found(connection, "another")


def test_a_query_that_cannot_be_run_is_an_error_of_sqlalchemy(connection: AutocommitConnection) -> None:
    with pytest.raises(DBAPIError):
        connection.first(BROKEN, {})
    assert found(connection, "a-share")


@on_postgresql
def test_a_connection_that_the_server_closed_is_replaced(connection: AutocommitConnection) -> None:
    found(connection, "a-share")
    close_others()
    assert found(connection, "a-share")[0] == "a-share"


@on_postgresql
def test_the_next_request_has_another_one_also_when_two_broke(connection: AutocommitConnection) -> None:
    found(connection, "a-share")
    close_others()
    event.listen(db.engine, "before_cursor_execute", close_others)
    with pytest.raises(OperationalError):
        found(connection, "a-share")
    event.remove(db.engine, "before_cursor_execute", close_others)
    assert found(connection, "a-share")[0] == "a-share"
