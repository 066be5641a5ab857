"""A session that OpenCode sends stays readable: a batch that would make it too large is refused, no other."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import downgrade, upgrade
from sqlalchemy import true

from app import opencode
from app.db.extensions import db
from app.db.models import Share
from app.services.documents import event_log
from app.services.documents.batch import Batch
from app.services.documents.synced_document import Reader
from tests.conftest import running_app
from tests.support.marks import on_both_databases, on_sqlite, without_rate_limits
from tests.support.paths import ROOT
from tests.support.patience import patience
from tests.support.sync_batches import (
    SESSION,
    SESSION_ID,
    Item,
    checkpoint,
    code,
    create,
    document_of,
    first,
    items,
    rows,
    shared,
    sync,
)

ROOM = 20_000
# A server that accepts little more than the session.
small_sessions = pytest.mark.settings(MAX_SESSION_BYTES=str(len(json.dumps(SESSION)) + ROOM))
pytestmark = [on_both_databases, without_rate_limits]


def note(name: str, size: int) -> list[Item]:
    """A batch that adds a little more than `size` bytes."""
    return [{"type": "hologram", "data": {"id": name, "text": "x" * size}}]


def names(document: dict[str, Any]) -> list[str]:
    return sorted(other["data"]["id"] for other in document["others"])


@small_sessions
def test_a_batch_over_the_cap_is_refused(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    huge = {"type": "hologram", "data": "x" * 200_000}
    assert code(sync(client, share, [huge])) == (413, "too_large")
    assert document_of(client, share)["messages"] == SESSION["messages"]


@small_sessions
def test_a_session_that_grows_over_the_cap_keeps_what_it_had(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    for _ in range(3):
        assert sync(client, share, items(SESSION)).status_code == 200
        assert rows(client.application) == 1
    more = {"type": "hologram", "data": "x" * 30_000}
    assert code(sync(client, share, [more])) == (413, "too_large")
    assert document_of(client, share)["messages"] == SESSION["messages"]
    assert sync(client, share, items(first(2))).status_code == 200


@small_sessions
def test_of_two_batches_at_once_that_are_too_large_together_one_is_refused(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    checkpoint(app, share)
    both = threading.Barrier(2, timeout=patience(60))
    count = itertools.count(1)

    def meet(items: Sequence[opencode.Item]) -> Batch:
        if next(count) <= 2:
            both.wait()
        return Batch(items)

    def send(name: str) -> int:
        return sync(app.test_client(), share, note(name, 12_000)).status_code

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr("app.api.sync.Batch", meet)
        answers = dict(zip("ab", pool.map(send, "ab"), strict=True))
    assert sorted(answers.values()) == [200, 413]
    assert names(document_of(client, share)) == [name for name, status in answers.items() if status == 200]
    assert client.get(f"/share/{share['id']}").status_code == 200
    assert sync(client, share, note("c", 10)).status_code == 200


@small_sessions
@pytest.mark.parametrize(("size", "status"), [(100, 200), (5_000, 413)])
def test_what_comes_while_a_batch_is_checked_is_counted_as_well(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, size: int, status: int
) -> None:
    share = shared(client, SESSION)
    checkpoint(app, share)
    with app.app_context():
        left = app.config["MAX_SESSION_BYTES"] - db.session.get_one(Share, share["id"]).document_bytes
    checked: list[int] = []
    with_events = event_log.with_events

    def meanwhile(state: event_log.LogState, document: bytes, found: list[event_log.Event]) -> Reader:
        checked.append(state.share.revision)
        if len(checked) == 1:
            row = db.session.get_one(Share, share["id"])
            items = json.dumps(note("meanwhile", size)).encode()
            batch = Batch(opencode.validate_batch(msgspec.Raw(items)))
            assert event_log.append_if(row, batch, true())
        return with_events(state, document, found)

    with monkeypatch.context() as patch:
        patch.setattr(event_log, "with_events", meanwhile)
        big = sync(client, share, note("big", left - 700))
    assert big.status_code == status
    assert checked[0] == 1
    assert checked[-1] == 2
    assert names(document_of(client, share)) == (["big", "meanwhile"] if status == 200 else ["meanwhile"])


@small_sessions
def test_what_a_document_says_of_itself_counts_as_well(app: Flask, client: FlaskClient) -> None:
    most = app.config["MAX_SESSION_BYTES"]
    answers = []
    for size in range(most - 600, most, 50):
        share = create(client, SESSION_ID)
        answers.append(sync(client, share, note("only", size)).status_code)
        if answers[-1] == 200:
            assert client.get(f"/share/{share['id']}").status_code == 200
    assert set(answers) == {200, 413}


def messages(start: int, count: int) -> list[Item]:
    """As small as they may be."""
    return [{"type": "message", "data": {"id": f"msg_{number:06}"}} for number in range(start, start + count)]


def of_parts(start: int, count: int, message: str) -> list[Item]:
    numbers = range(start, start + count)
    return [{"type": "part", "data": {"id": f"p{number:06}", "messageID": message}} for number in numbers]


def test_a_session_has_as_many_messages_as_can_be_read(app: Flask, client: FlaskClient) -> None:
    """What would be more is refused, also when it comes in small batches."""
    share = shared(client, SESSION)
    known = len(SESSION["messages"])
    assert code(sync(client, share, messages(0, 50_001))) == (413, "too_large")
    assert client.get(f"/share/{share['id']}").status_code == 200
    assert sync(client, share, messages(0, 25_000)).status_code == 200
    assert sync(client, share, messages(0, 25_000)).status_code == 200
    assert sync(client, share, messages(25_000, 25_000 - known)).status_code == 200
    refused = sync(client, share, messages(60_000, 1))
    assert (code(refused), "50,000 messages" in refused.text) == ((413, "too_large"), True)
    changed = [{"type": "message", "data": {"id": "msg_000000", "role": "user", "changed": True}}]
    assert sync(client, share, changed).status_code == 200
    assert client.get(f"/share/{share['id']}").status_code == 200
    checkpoint(app, share)
    document = document_of(client, share)
    assert len(document["messages"]) == 50_000
    assert {"info": changed[0]["data"], "parts": []} in document["messages"]


@pytest.mark.parametrize("message", [SESSION["messages"][0]["info"]["id"], "msg_unknown"])
@on_sqlite
def test_a_session_has_as_many_parts_as_can_be_read(client: FlaskClient, message: str) -> None:
    """Also of a message that has not come."""
    share = shared(client, SESSION)
    assert sync(client, share, of_parts(0, 150_000, message)).status_code == 200
    refused = sync(client, share, of_parts(150_000, 50_001, message))
    assert (code(refused), "200,000 parts" in refused.text) == ((413, "too_large"), True)
    assert sync(client, share, of_parts(150_000, 1_000, message)).status_code == 200
    for _ in range(2):
        assert client.get(f"/share/{share['id']}").status_code == 200
        checkpoint(client.application, share)


def test_a_share_of_an_earlier_version_is_weighed_before_more_comes(settings: dict[str, str]) -> None:
    migrations = str(ROOT / "migrations")
    with running_app(settings) as app:
        client = app.test_client()
        share = shared(client, SESSION)
        assert sync(client, share, messages(0, 49_900)).status_code == 200
        with app.app_context():
            downgrade(directory=migrations, revision="0003_native")
            upgrade(directory=migrations)
        assert sync(client, share, messages(49_900, 200)).status_code == 413
        assert sync(client, share, messages(0, 1)).status_code == 200
        assert client.get(f"/share/{share['id']}").status_code == 200
