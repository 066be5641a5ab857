"""Writes that are applied later than anybody waited for, in another order, or more than once."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.services.maintenance import run_maintenance
from app.services.shares.object_cleanup import GRACE, ROUNDS
from app.storage import DiskStore, StorageError, objects_of
from tests.conftest import running_app
from tests.support import client as uploads
from tests.support.marks import without_rate_limits
from tests.support.patience import patience
from tests.support.recorded import document_bytes
from tests.support.servers.faults import HttpProxy
from tests.support.servers.s3 import stored_keys
from tests.support.sync_batches import SESSION, checkpoint, document_of, first, message_items, shared, sync

pytestmark = without_rate_limits
MESSAGES = SESSION["messages"]
SMALL, LARGE = document_bytes("single-message"), document_bytes("rate-limit-feature")


@pytest.fixture
def bucket_app(
    settings: dict[str, str], proxied_bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    monkeypatch.setattr("app.storage.s3.READ_SECONDS", patience(3))
    with running_app({**settings, **proxied_bucket}) as app:
        yield app


def add(client: FlaskClient, share: dict[str, str], number: int) -> None:
    assert sync(client, share, [*message_items(MESSAGES[number])]).status_code == 200


def ids(client: FlaskClient, share: dict[str, str]) -> list[str]:
    return [message["info"]["id"] for message in document_of(client, share)["messages"]]


def expected(count: int) -> list[str]:
    return [message["info"]["id"] for message in MESSAGES[:count]]


def give_up_a_checkpoint(app: Flask, proxy: HttpProxy, share: dict[str, str]) -> None:
    """A checkpoint whose PUT the bucket keeps back for later."""
    proxy.set("late", "PUT")
    with pytest.raises(StorageError):
        checkpoint(app, share)
    proxy.set(None)


def test_a_checkpoint_that_is_applied_after_the_next_one_undoes_nothing(
    bucket_app: Flask, bucket_proxy: HttpProxy
) -> None:
    client = bucket_app.test_client()
    share = shared(client, first(2))
    give_up_a_checkpoint(bucket_app, bucket_proxy, share)
    for number in (2, 3, 4):
        add(client, share, number)
    checkpoint(bucket_app, share)
    assert bucket_proxy.apply_late() == 2
    add(client, share, 5)
    with bucket_app.app_context():
        for cache_key in services().cache_keys():
            services().forget(cache_key)
    assert ids(client, share) == expected(6)
    page = client.get(f"/share/{share['id']}")
    assert (page.status_code, MESSAGES[5]["info"]["id"] in page.text) == (200, True)


def test_what_a_late_checkpoint_leaves_is_removed_after_a_while(
    bucket_app: Flask, bucket_proxy: HttpProxy, empty_bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = bucket_app.test_client()
    share = shared(client, first(2))
    give_up_a_checkpoint(bucket_app, bucket_proxy, share)
    checkpoint(bucket_app, share)
    bucket_proxy.apply_late()
    assert len(stored_keys(empty_bucket)) == 2
    clean_up(bucket_app)
    assert len(stored_keys(empty_bucket)) == 2
    monkeypatch.setattr("app.services.shares.object_cleanup.GRACE", -GRACE)
    clean_up(bucket_app)
    assert len(stored_keys(empty_bucket)) == 1
    assert ids(client, share) == expected(2)


def clean_up(app: Flask) -> None:
    """Maintenance, when the objects of every share are to be looked through."""
    with app.app_context():
        db.session.execute(update(Share).values(cleanup_at=datetime.now(UTC)))
        db.session.commit()
        run_maintenance()


def test_a_checkpoint_whose_answer_is_lost_is_no_failure(bucket_app: Flask, bucket_proxy: HttpProxy) -> None:
    client = bucket_app.test_client()
    share = shared(client, first(3))
    lost = iter(["lost"])
    bucket_proxy.fault = lambda method, path: next(lost, None) if method == "PUT" else None
    checkpoint(bucket_app, share)
    assert ids(client, share) == expected(3)


def test_two_that_believe_to_hold_the_lock_lose_nothing(
    app: Flask, client: FlaskClient, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the connection breaks that holds the lock on PostgreSQL."""
    share = shared(client, first(2))
    with running_app(settings) as other:
        put, is_first = DiskStore.put, threading.Lock()

        def slow(self: DiskStore, *arguments: object, **options: object) -> None:
            if is_first.acquire(blocking=False):
                # In a thread, as other requests: within this one they would share its context.
                with ThreadPoolExecutor(1) as pool:
                    for number in (2, 3, 4):
                        pool.submit(add, client, share, number).result()
                    pool.submit(write, other, share["id"]).result()
            put(self, *arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(DiskStore, "put", slow)
        write(app, share["id"])
        monkeypatch.undo()
        add(client, share, 5)
        assert ids(client, share) == expected(6)
        assert ids(other.test_client(), share) == expected(6)
    with app.app_context():
        assert len(objects_of(services().store, share["id"])) == 1


def write(app: Flask, share_id: str) -> None:
    """A checkpoint without the lock."""
    with app.app_context():
        services().synced.write_checkpoint(*services().synced.merge(services().live_shares.get(share_id)))


class SlowUpload:
    """An upload of which the second half waits."""

    def __init__(self, answer: dict[str, object], document: bytes) -> None:
        link = urlsplit(str(answer["presignedUrl"]))
        self._document = document
        self._connection = http.client.HTTPConnection(link.netloc)
        self._connection.putrequest("PUT", f"{link.path}?{link.query}", skip_accept_encoding=True)
        headers = {"Content-Length": str(len(document)), **dict(answer["headers"])}  # type: ignore[call-overload]
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders()
        self._connection.send(document[: len(document) // 2])

    def finish(self) -> int:
        self._connection.send(self._document[len(self._document) // 2 :])
        status = self._connection.getresponse().status
        self._connection.close()
        return status


def test_an_upload_that_ends_after_its_share_was_deleted_is_nobodys(
    bucket_app: Flask, empty_bucket: dict[str, str], settings: dict[str, str]
) -> None:
    with running_app({**settings, **empty_bucket}) as app:
        client = app.test_client()
        answer = uploads.create(client, size=len(LARGE)).get_json()
        slow = SlowUpload(answer, LARGE)
        assert uploads.delete(client, "GhIjKlMn", answer["secret"]).status_code == 200
        assert slow.finish() == 200
        assert stored_keys(empty_bucket) == ["sessions/GhIjKlMn.json"]
        assert client.get("/share/GhIjKlMn").status_code == 404
        assert uploads.create(client, size=len(SMALL)).status_code == 409
        clean_up(app)
        assert stored_keys(empty_bucket) == []


def test_a_deleted_share_is_looked_through_until_no_upload_can_end_any_more(
    app: Flask, client: FlaskClient
) -> None:
    uploads.delete(client, "GhIjKlMn", uploads.create(client).get_json()["secret"])
    rounds = 0
    while (due := next_cleanup(app)) and rounds < 20:
        rounds += 1
        with app.app_context():
            passed = due - datetime.now(UTC) + timedelta(seconds=1)
            for name in ("deleted_at", "cleanup_at"):
                column = getattr(Share, name)
                moved = getattr(db.session.get_one(Share, "GhIjKlMn"), name) - passed
                db.session.execute(update(Share).values({column: moved}))
            db.session.commit()
            run_maintenance()
    assert rounds == len(ROUNDS)


def next_cleanup(app: Flask) -> datetime | None:
    with app.app_context():
        return db.session.get_one(Share, "GhIjKlMn").cleanup_at


def test_of_two_uploads_that_overlap_the_last_to_end_is_what_readers_see(
    empty_bucket: dict[str, str], settings: dict[str, str]
) -> None:
    """Also by one link used twice. The plugin sends one after another, so that this is the newest."""
    with running_app({**settings, **empty_bucket}) as app:
        services_freshness(app)
        client = app.test_client()
        answer = uploads.create(client).get_json()
        slow = SlowUpload(answer, LARGE)
        assert SlowUpload(answer, SMALL).finish() == 200
        assert client.get("/api/share/GhIjKlMn").get_json() == json.loads(SMALL)
        assert slow.finish() == 200
        assert client.get("/api/share/GhIjKlMn").get_json() == json.loads(LARGE)
        assert "rate limiting" in client.get("/share/GhIjKlMn").text


def services_freshness(app: Flask) -> None:
    with app.app_context():
        services().freshness.fresh_seconds = -1
