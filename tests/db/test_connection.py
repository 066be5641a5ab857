"""The connection that stays open, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import NullPool, bindparam, create_engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.db.connection import StandingConnection
from app.db.extensions import db
from app.db.models import Share
from app.services.container import parts

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
on_postgresql = pytest.mark.parametrize("each_database", ["postgresql"], indirect=True)
CREATED = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.fixture
def standing(unlimited_app: Flask) -> Iterator[StandingConnection]:
    with unlimited_app.app_context():
        row = {"session_id": "ses_1", "secret": "", "created_at": CREATED, "last_link_at": CREATED}
        opened = parts().standing
        opened.add(insert(Share), {**row, "share_id": "a-share", "expires_at": CREATED + timedelta(days=1)})
        opened.add(insert(Share), {**row, "share_id": "endless"})
        yield opened


def found(standing: StandingConnection, share_id: str) -> Any:
    return standing.first(OF_A_SHARE, {"share_id": share_id, "revision": 0})


def close_others(*_: Any) -> None:
    engine = create_engine(db.engine.url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(CLOSE_OTHERS)


def test_a_row_is_as_sqlalchemy_reads_it(standing: StandingConnection) -> None:
    for share_id in ("a-share", "endless"):
        row = standing.execute(OF_A_SHARE, {"share_id": share_id, "revision": 0}).one()
        assert found(standing, share_id) == tuple(row)
        assert row.created_at == CREATED
        assert found(standing, share_id)[1].tzinfo is UTC


def test_no_row_is_none(standing: StandingConnection) -> None:
    assert found(standing, "missing") is None


def test_a_row_whose_key_is_taken_does_not_go_in(standing: StandingConnection) -> None:
    row = {"session_id": "ses_2", "secret": "", "created_at": CREATED, "last_link_at": CREATED}
    assert not standing.add(insert(Share), {**row, "share_id": "a-share"})
    assert standing.add(insert(Share), {**row, "share_id": "another"})
    assert found(standing, "another")


def test_a_query_that_cannot_be_run_is_an_error_of_sqlalchemy(standing: StandingConnection) -> None:
    with pytest.raises(DBAPIError):
        standing.first(BROKEN, {})
    assert found(standing, "a-share")


@on_postgresql
def test_a_connection_that_the_server_closed_is_replaced(standing: StandingConnection) -> None:
    found(standing, "a-share")
    close_others()
    assert found(standing, "a-share")[0] == "a-share"


@on_postgresql
def test_the_next_request_has_another_one_also_when_two_broke(standing: StandingConnection) -> None:
    found(standing, "a-share")
    close_others()
    event.listen(db.engine, "before_cursor_execute", close_others)
    with pytest.raises(OperationalError):
        found(standing, "a-share")
    event.remove(db.engine, "before_cursor_execute", close_others)
    assert found(standing, "a-share")[0] == "a-share"
