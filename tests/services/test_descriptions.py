"""Title and project of a session in the row of its share: filled as it is read, cleared with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.models import Share
from app.opencode import Description
from app.services.container import services
from app.services.maintenance import run_maintenance
from app.services.shares.descriptions import Descriptions
from tests.support import client as uploads
from tests.support import field
from tests.support.client import renew, share, share_unchecked, upload
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.sync_batches import SESSION, SESSION_ID, checkpoint, create, items, shared, sync

pytestmark = [on_both_databases, without_rate_limits]

ID = "GhIjKlMn"


def described(app: Flask, share_id: str = ID) -> tuple[str | None, str | None]:
    with app.app_context():
        row = db.session.execute(select(Share.title, Share.project).where(Share.share_id == share_id)).one()
    return row.title, row.project


def document(title: str, directory: str = "/home/ana/receipts") -> bytes:
    session = field.document("default-title")
    session["session"] |= {"title": title, "directory": directory}
    return json.dumps(session).encode()


def updates(app: Flask) -> list[str]:
    """The statements from now on that write a description."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE shares SET title"):
            found.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
    return found


@pytest.mark.parametrize("address", [f"/share/{ID}", f"/share/{ID}.md", f"/api/share/{ID}"])
def test_whoever_reads_a_session_first_fills_its_row(app: Flask, client: FlaskClient, address: str) -> None:
    share_unchecked(client, document("A title", "C:\\Users\\ana\\receipts\\"))
    assert described(app) == (None, None)
    assert client.get(address).status_code == 200
    assert described(app) == ("A title", "receipts")


def test_an_upload_that_the_server_takes_itself_fills_it_at_once(app: Flask, client: FlaskClient) -> None:
    share(client, field.document_bytes("default-title"))
    title, project = described(app)
    assert title == "Build a receipt book for festivals"
    assert project


def test_the_first_checkpoint_of_a_synced_session_fills_it(app: Flask, client: FlaskClient) -> None:
    made = shared(client, SESSION)
    checkpoint(app, made)
    assert described(app, made["id"]) == (SESSION["session"]["title"], "acme-api")


def test_messages_that_come_before_the_head_of_their_session_give_it_a_title(
    app: Flask, client: FlaskClient
) -> None:
    made = create(client, SESSION_ID)
    messages = [item for item in items(SESSION) if item["type"] in ("message", "part")]
    assert sync(client, made, messages).status_code == 200
    checkpoint(app, made)
    title, project = described(app, made["id"])
    assert ((title or "")[:21], project) == ("Add rate limiting to ", "")
    assert (
        sync(client, made, [item for item in items(SESSION) if item["type"] == "session"]).status_code == 200
    )
    assert client.get(f"/share/{made['id']}").status_code == 200
    assert described(app, made["id"]) == (SESSION["session"]["title"], "acme-api")


def test_only_another_title_project_or_size_is_written(app: Flask, client: FlaskClient) -> None:
    answer = share(client, document("First"))

    def change(title: str, directory: str = "/home/ana/receipts") -> None:
        again = renew(client, ID, answer["secret"]).get_json()
        assert upload(client, again, document(title, directory)).status_code == 200
        assert client.get(f"/share/{ID}").status_code == 200

    change("First", "/srv/receipts")
    written = updates(app)
    change("First", "/opt/receipts")
    assert written == []
    change("Second")
    assert described(app) == ("Second", "receipts")
    change("Second", "/home/ana/bills")
    assert described(app) == ("Second", "bills")
    assert len(written) == 2


def test_a_page_that_is_cached_asks_nothing_about_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, document("A title"))
    assert client.get(f"/share/{ID}").status_code == 200

    def refuse(*_: Any) -> None:
        raise AssertionError("a cached page needs no description")

    monkeypatch.setattr(Descriptions, "replace", refuse)
    assert client.get(f"/share/{ID}").status_code == 200


@pytest.mark.parametrize(
    ("title", "stored"), [("a\0b", "a\ufffdb"), ("é" * 500, "é" * 200), ("\U0001f389 ", "\U0001f389 ")]
)
def test_any_title_fits(app: Flask, client: FlaskClient, title: str, stored: str) -> None:
    share(client, document(title))
    assert described(app) == (stored, "receipts")


def test_a_database_that_cannot_be_written_costs_nobody_the_page(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    share_unchecked(client, document("A title"))

    def refuse(*_: Any) -> None:
        raise OperationalError("UPDATE shares", {}, Exception("database or disk is full"))

    monkeypatch.setattr(AutocommitConnection, "execute", refuse)
    assert "A title" in client.get(f"/share/{ID}").text
    assert "the title of share GhIjKlMn could not be written" in caplog.text
    assert described(app) == (None, None)


def test_a_delete_clears_it_also_for_whoever_is_reading(app: Flask, client: FlaskClient) -> None:
    secret = share(client, document("A title"))["secret"]
    with app.app_context():
        reading = services().live_shares.get(ID)
    assert uploads.delete(client, ID, secret).status_code == 200
    assert described(app) == (None, None)
    with app.app_context():
        services().descriptions.replace(reading, Description("A title", "receipts"))
        assert not services().descriptions.fill(reading, Description("A title", "receipts"))
    assert described(app) == (None, None)


def test_a_title_that_an_older_release_left_on_a_tombstone_goes_with_the_objects(
    app: Flask, client: FlaskClient
) -> None:
    uploads.delete(client, ID, share(client, document("A title"))["secret"])
    with app.app_context():
        left = {"title": "A title", "project": "receipts", "cleanup_at": Share.deleted_at}
        db.session.execute(update(Share).values(left))
        db.session.commit()
        run_maintenance()
    assert described(app) == (None, None)
