"""Batches of OpenCode's own protocol, folded into documents: readers notice nothing, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.services.container import services
from app.services.documents import event_log
from app.services.shares.live_share import LiveShare
from app.services.shares.live_shares import LiveShares
from app.services.shares.object_cleanup import named_keys
from app.storage import DiskStore, StorageError
from tests.conftest import running_app
from tests.support import recorded
from tests.support import sync_batches as native
from tests.support.marks import on_both_databases, on_sqlite, without_rate_limits
from tests.support.sync_batches import (
    SESSION,
    SESSION_ID,
    checkpoint,
    code,
    create,
    document_of,
    first,
    items,
    maintain,
    rows,
    shared,
    stored,
    stream,
    sync,
)

pytestmark = [on_both_databases, without_rate_limits]


def test_every_reader_sees_a_change_as_soon_as_it_is_acknowledged(
    app: Flask, settings: dict[str, str], tmp_path: Path
) -> None:
    """Also one on another host, also while the store is slow to get it, also after it has."""
    database = app.config["DATABASE_URL"]
    there = {**settings, "DATABASE_URL": database, "DATA_DIR": str(tmp_path / "there")}
    with running_app(there) as other:
        with other.app_context(), app.app_context():
            documents = Path(settings["DATA_DIR"], "documents")
            documents.mkdir()
        Path(there["DATA_DIR"], "documents").symlink_to(documents)
        here, away = app.test_client(), other.test_client()
        share = shared(here, first(2))
        for count in range(2, 8):
            assert sync(here, share, items(first(count))).status_code == 200
            for reader in (here, away):
                answer = reader.get(f"/api/share/{share['id']}")
                assert answer.get_json()["messages"] == SESSION["messages"][:count]
                page = reader.get(f"/share/{share['id']}")
                assert SESSION["messages"][count - 1]["info"]["id"] in page.text
            if count % 2:
                checkpoint(app if count % 4 == 1 else other, share)


def test_a_fold_changes_nothing_for_readers(app: Flask, client: FlaskClient) -> None:
    share = shared(client, first(4))
    sync(client, share, items(SESSION))
    document, page = document_of(client, share), client.get(f"/share/{share['id']}")
    assert stored(app, share) is None
    checkpoint(app, share)
    assert stored(app, share) is not None
    assert rows(app) == 0
    assert document_of(client, share) == document
    headers = {"If-None-Match": page.headers["ETag"]}
    assert client.get(f"/share/{share['id']}", headers=headers).status_code == 304


def test_folding_ever_so_often_gives_the_same_document(app: Flask, client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    for number, batch in enumerate(stream("rate-limit-feature")):
        assert sync(client, share, batch).status_code == 200
        if number % 23 == 0:
            checkpoint(app, share)
    document = document_of(client, share)
    assert document["messages"] == SESSION["messages"]
    assert document["revision"] == len(stream("rate-limit-feature"))
    assert document["others"] == []


def test_a_fold_that_is_cut_off_loses_nothing(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, first(2))
    checkpoint(app, share)
    sync(client, share, items(first(4)))
    whole = document_of(client, share)
    for place in ("app.services.documents.event_log.commit_checkpoint", "app.storage.disk.DiskStore.put"):
        with monkeypatch.context() as patch:
            patch.setattr(place, killed)
            with pytest.raises(KeyboardInterrupt):
                checkpoint(app, share)
        assert document_of(client, share) == whole
        sync(client, share, items(first(5)))
        sync(client, share, items(first(4)))
        assert document_of(client, share)["messages"] == SESSION["messages"][:5]
        whole = document_of(client, share)
    checkpoint(app, share)
    assert rows(app) == 0
    assert document_of(client, share) == whole


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_batches_that_come_during_a_fold_stay(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, first(2))
    during_put(monkeypatch, lambda: sync(client, share, items(SESSION)))
    checkpoint(app, share)
    assert rows(app) == 1
    assert document_of(client, share)["messages"] == SESSION["messages"]


def during_put(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Lets something happen while the store is given a document, before it has it."""
    put = DiskStore.put

    def slow(self: DiskStore, *arguments: Any, **options: Any) -> str:
        happens()
        return put(self, *arguments, **options)

    monkeypatch.setattr(DiskStore, "put", slow)


def test_a_share_deleted_during_a_fold_leaves_nothing_in_the_store(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    delete = {"json": {"secret": share["secret"]}}
    address = f"/api/share/{share['id']}"
    during_put(monkeypatch, lambda: client.delete(address, **delete))
    checkpoint(app, share)
    with app.app_context():
        assert list(services().store.list()) == []
    assert client.get(address).status_code == 404


def test_only_one_folds_a_share_at_a_time(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    written: list[str] = []

    def meanwhile() -> None:
        written.append("once")
        checkpoint(app, share)

    during_put(monkeypatch, meanwhile)
    checkpoint(app, share)
    assert written == ["once"]


def test_housekeeping_folds_what_is_much_and_what_is_quiet(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    maintain(app)
    assert rows(app) == 1
    monkeypatch.setattr("app.services.documents.checkpoint.MIN_BYTES", 10_000)
    maintain(app)
    assert rows(app) == 0
    sync(client, share, items(first(2)))
    maintain(app)
    assert rows(app) == 1
    with app.app_context():
        db.session.execute(update(ShareEvent).values(received_at=datetime.now(UTC) - timedelta(hours=1)))
        db.session.commit()
    maintain(app)
    assert rows(app) == 0


def test_a_session_that_cannot_be_folded_does_not_hold_up_the_others(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.services.documents.checkpoint.MIN_BYTES", 1)
    shares = [shared(client, SESSION), shared(client, recorded.document("single-message"))]
    failed: list[str] = []

    def fails_first() -> None:
        if not failed:
            failed.append("once")
            raise StorageError("on purpose")

    during_put(monkeypatch, fails_first)
    maintain(app)
    [failed_one] = [share for share in shares if stored(app, share) is None]
    assert f"the checkpoint of share {failed_one['id']} failed" in caplog.text
    maintain(app)
    assert all(stored(app, share) for share in shares)


def test_the_page_of_a_share_asks_the_store_only_after_a_change(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    checkpoint(app, share)
    client.get(f"/share/{share['id']}")
    monkeypatch.setattr("app.storage.disk.DiskStore.open", None)
    assert client.get(f"/share/{share['id']}").status_code == 200


def test_a_share_whose_checkpoint_is_lost_is_read_at_the_newest_state_that_can_be_proved(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    share = shared(client, first(2))
    checkpoint(app, share)
    sync(client, share, items(first(4)))
    checkpoint(app, share)
    sync(client, share, items({**SESSION, "messages": SESSION["messages"][4:6]}))
    with app.app_context():
        services().store.delete(named_keys(db.session.get_one(Share, share["id"]))[0])
    ids = [message["info"]["id"] for message in document_of(client, share)["messages"]]
    expected = [message["info"]["id"] for message in SESSION["messages"][:2] + SESSION["messages"][4:6]]
    assert ids == expected
    assert f"the checkpoint of share {share['id']} is not in the store" in caplog.text


def test_that_a_session_cannot_be_read_is_found_out_once(
    each_database: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever finds out; until more has come, or the server takes more."""
    with running_app(each_database) as app:
        share = shared(app.test_client(), SESSION)
    monkeypatch.setattr("app.services.documents.checkpoint.MIN_BYTES", 1)
    merged: list[str] = []
    with_events = event_log.with_events

    def counted(state: event_log.LogState, *arguments: Any) -> bytes:
        merged.append(state.share.share_id)
        return with_events(state, *arguments)

    monkeypatch.setattr(event_log, "with_events", counted)
    with running_app({**each_database, "MAX_SESSION_BYTES": "10000"}) as app:
        for _ in range(2):
            maintain(app)
            assert code(app.test_client().get(f"/api/share/{share['id']}")) == (422, "unreadable_document")
            assert app.test_client().get(f"/share/{share['id']}").status_code == 422
    assert merged == [share["id"]]
    assert caplog.text.count(f"share {share['id']} cannot be read") == 1
    with running_app(each_database) as app:
        assert app.test_client().get(f"/share/{share['id']}").status_code == 200
        maintain(app)
        assert stored(app, share) is not None


@pytest.mark.parametrize("address", ["/share/{id}", "/api/share/{id}", "/api/share/{id}/data"])
def test_who_reads_while_a_share_is_deleted_is_told_that_it_is_gone(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    share = shared(client, SESSION)
    get = LiveShares.get

    def deleted_then(self: LiveShares, share_id: str) -> LiveShare:
        found = get(self, share_id)
        monkeypatch.setattr(LiveShares, "get", get)
        services().shares.delete_unchecked(share_id)
        return found

    monkeypatch.setattr(LiveShares, "get", deleted_then)
    assert client.get(address.format(**share)).status_code == 404


@on_sqlite
def test_of_a_large_session_little_more_is_written_than_what_is_new(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when housekeeping could fold after every batch: at most twice the batches, all in all."""
    large = recorded.document("large-output")
    share = shared(client, large)
    maintain(app)
    assert rows(app) == 0
    written = sent = 0
    folds: list[int] = []
    put = DiskStore.put

    def counted(store: DiskStore, key: str, data: bytes, **options: Any) -> str:
        folds.append(len(data))
        return put(store, key, data, **options)

    monkeypatch.setattr(DiskStore, "put", counted)
    biggest = max(large["messages"], key=lambda message: len(json.dumps(message)))
    batch = [*native.message_items(biggest)]
    while len(folds) < 2:
        sent += len(json.dumps(batch))
        assert sync(client, share, batch).status_code == 200
        with app.app_context():
            newest = select(ShareEvent.items).order_by(ShareEvent.number.desc()).limit(1)
            written += len(db.session.scalar(newest) or b"")
        maintain(app)
    assert written + sum(folds) <= 2 * sent
