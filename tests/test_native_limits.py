"""A session that OpenCode sends stays readable: a batch that would make it too large is refused, no other."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import zstandard
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import true

from app import events
from app.extensions import db
from app.models import Share
from tests.conftest import running_app
from tests.native import SESSION, SESSION_ID, Item, create, document_of, fold, shared, sync

ROOM = 20_000


@pytest.fixture
def app(each_database: dict[str, str]) -> Iterator[Flask]:
    """A server that takes little more than the session."""
    size = len(json.dumps(SESSION)) + ROOM
    small = {**each_database, "MAX_SESSION_BYTES": str(size), "RATELIMIT_ENABLED": "false"}
    with running_app(small) as app:
        yield app


def note(name: str, size: int) -> list[Item]:
    """A batch that adds a little more than `size` bytes."""
    return [{"type": "hologram", "data": {"id": name, "text": "x" * size}}]


def names(document: dict[str, Any]) -> list[str]:
    return sorted(other["data"]["id"] for other in document["others"])


def test_of_two_batches_at_once_that_are_too_large_together_one_is_refused(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    fold(app, share)
    both = threading.Barrier(2, timeout=10)
    compress = zstandard.compress
    packed: list[bytes] = []

    def meet(batch: bytes) -> bytes:
        packed.append(batch)
        if len(packed) <= 2:
            both.wait()
        return compress(batch)

    def send(name: str) -> int:
        return sync(app.test_client(), share, note(name, 12_000)).status_code

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr("app.events.zstandard.compress", meet)
        answers = dict(zip("ab", pool.map(send, "ab"), strict=True))
    assert sorted(answers.values()) == [200, 413]
    assert names(document_of(client, share)) == [name for name, status in answers.items() if status == 200]
    assert client.get(f"/share/{share['id']}").status_code == 200
    assert sync(client, share, note("c", 10)).status_code == 200


@pytest.mark.parametrize(("size", "status"), [(100, 200), (5_000, 413)])
def test_what_comes_while_a_batch_is_checked_is_counted_as_well(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, size: int, status: int
) -> None:
    share = shared(client, SESSION)
    fold(app, share)
    with app.app_context():
        left = app.config["MAX_SESSION_BYTES"] - db.session.get_one(Share, share["id"]).document_bytes
    checked: list[int] = []
    with_events = events.with_events

    def meanwhile(life: Any, document: bytes, found: list[events.Event]) -> bytes:
        checked.append(life.revision)
        if len(checked) == 1:
            row = db.session.get_one(Share, share["id"])
            assert events.append(row, json.dumps(note("meanwhile", size)).encode(), true())
        return with_events(life, document, found)

    with monkeypatch.context() as patch:
        patch.setattr(events, "with_events", meanwhile)
        big = sync(client, share, note("big", left - 700))
    assert big.status_code == status
    assert checked[0] == 1
    assert checked[-1] == 2
    assert names(document_of(client, share)) == (["big", "meanwhile"] if status == 200 else ["meanwhile"])


def test_what_a_document_says_of_itself_counts_as_well(app: Flask, client: FlaskClient) -> None:
    most = app.config["MAX_SESSION_BYTES"]
    answers = []
    for size in range(most - 600, most, 50):
        share = create(client, SESSION_ID)
        answers.append(sync(client, share, note("only", size)).status_code)
        if answers[-1] == 200:
            assert client.get(f"/share/{share['id']}").status_code == 200
    assert set(answers) == {200, 413}
