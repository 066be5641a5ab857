"""OpenCode's own share protocol, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app import folding
from app.extensions import db
from app.housekeeping import keep_house
from app.models import Share, ShareEvent
from app.parts import parts
from app.storage import DiskStore, StorageError
from tests import client as uploads
from tests import native, recorded
from tests.conftest import running_app
from tests.native import create, document_of, items, shared, stream, sync

SESSION = recorded.document("rate-limit-feature")
SESSION_ID = SESSION["session"]["id"]


@pytest.fixture(params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, settings: dict[str, str]) -> Iterator[Flask]:
    if request.param == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgres_database")
    settings["RATELIMIT_ENABLED"] = "false"
    with running_app(settings) as app:
        yield app


@pytest.fixture
def sqlite_client(settings: dict[str, str]) -> Iterator[FlaskClient]:
    with running_app({**settings, "RATELIMIT_ENABLED": "false"}) as app:
        yield app.test_client()


def rows(app: Flask) -> int:
    """How many batches wait to be folded."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(ShareEvent)) or 0


def fold(app: Flask, share: dict[str, str]) -> None:
    with app.app_context():
        parts().folding.fold(share["id"])


def stored(app: Flask, share: dict[str, str]) -> bytes | None:
    """What the store has."""
    with app.app_context():
        found = parts().store.open(f"sessions/{share['id']}.json")
        if found is None or found.body is None:
            return None
        try:
            return found.body.read(found.size)
        finally:
            found.body.close()


def code(response: Any) -> tuple[int, str]:
    return response.status_code, (response.get_json() or {}).get("code", "")


def text(message: int) -> str:
    return next(part["text"] for part in SESSION["messages"][message]["parts"] if part["type"] == "text")


def first(count: int) -> dict[str, Any]:
    return {**SESSION, "messages": SESSION["messages"][:count]}


def test_creating_answers_with_what_opencode_wants(client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    assert share["id"] == SESSION_ID[-8:]
    assert share["url"] == f"https://share.example.com/share/{share['id']}"
    assert len(share.pop("secret")) == 32
    assert set(share) == {"id", "url"}
    assert client.get(f"/share/{share['id']}").status_code == 202


def test_a_taken_id_gives_way_to_another_one_and_its_secret_stays_its_own(client: FlaskClient) -> None:
    first, second = create(client, SESSION_ID), create(client, SESSION_ID)
    assert second["id"] not in ("", first["id"])
    assert second["url"].endswith(f"/share/{second['id']}")
    assert sync(client, first, [], secret=second["secret"]).status_code == 401
    assert sync(client, second, [], secret=first["secret"]).status_code == 401
    assert sync(client, second, items(SESSION)).status_code == 200


def test_a_synced_session_is_a_document_like_any_other(client: FlaskClient) -> None:
    before = datetime.now(UTC).timestamp() * 1000
    share = shared(client, SESSION)
    document = document_of(client, share)
    assert document["messages"] == SESSION["messages"]
    assert document["session"] == {key: value for key, value in SESSION["session"].items() if key != "share"}
    assert (document["shareId"], document["sessionId"]) == (share["id"], SESSION_ID)
    assert before - 1 <= document["createdAt"] <= document["updatedAt"]
    assert document["models"][0]["name"] == "Acme Coder 1"
    page = client.get(f"/share/{share['id']}").text
    assert SESSION["session"]["title"] in page
    assert client.get(f"/share/{share['id']}.md").status_code == 200


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
                fold(app if count % 4 == 1 else other, share)


def test_a_fold_changes_nothing_for_readers(app: Flask, client: FlaskClient) -> None:
    share = shared(client, first(4))
    sync(client, share, items(SESSION))
    document, page = document_of(client, share), client.get(f"/share/{share['id']}")
    assert stored(app, share) is None
    fold(app, share)
    assert stored(app, share) is not None
    assert rows(app) == 0
    assert document_of(client, share) == document
    headers = {"If-None-Match": page.headers["ETag"]}
    assert client.get(f"/share/{share['id']}", headers=headers).status_code == 304


def test_an_unchanged_session_is_not_sent_twice(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    tag = {"If-None-Match": client.get(f"/api/share/{share['id']}").headers["ETag"]}
    assert client.get(f"/api/share/{share['id']}", headers=tag).status_code == 304
    sync(client, share, items(first(1)))
    assert client.get(f"/api/share/{share['id']}", headers=tag).status_code == 200


def test_folding_ever_so_often_gives_the_same_document(app: Flask, client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    for number, batch in enumerate(stream("rate-limit-feature")):
        assert sync(client, share, batch).status_code == 200
        if number % 23 == 0:
            fold(app, share)
    document = document_of(client, share)
    assert document["messages"] == SESSION["messages"]
    assert document["revision"] == len(stream("rate-limit-feature"))
    assert document["others"] == []


def test_a_fold_that_is_cut_off_loses_nothing(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, first(2))
    fold(app, share)
    sync(client, share, items(first(4)))
    whole = document_of(client, share)
    for place in ("app.folding.events.settle", "app.storage.disk.DiskStore.put"):
        with monkeypatch.context() as patch:
            patch.setattr(place, killed)
            with pytest.raises(KeyboardInterrupt):
                fold(app, share)
        assert document_of(client, share) == whole
        sync(client, share, items(first(5)))
        sync(client, share, items(first(4)))
        assert document_of(client, share)["messages"] == SESSION["messages"][:5]
        whole = document_of(client, share)
    fold(app, share)
    assert rows(app) == 0
    assert document_of(client, share) == whole


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_batches_that_come_during_a_fold_stay(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, first(2))
    during_put(monkeypatch, lambda: sync(client, share, items(SESSION)))
    fold(app, share)
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
    fold(app, share)
    assert stored(app, share) is None
    assert client.get(address).status_code == 404


def test_only_one_folds_a_share_at_a_time(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    written: list[str] = []

    def meanwhile() -> None:
        written.append("once")
        fold(app, share)

    during_put(monkeypatch, meanwhile)
    fold(app, share)
    assert written == ["once"]


def test_housekeeping_folds_what_is_much_and_what_is_quiet(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    keep(app)
    assert rows(app) == 1
    monkeypatch.setattr(folding, "MIN_BYTES", 10_000)
    keep(app)
    assert rows(app) == 0
    sync(client, share, items(first(2)))
    keep(app)
    assert rows(app) == 1
    with app.app_context():
        db.session.execute(update(ShareEvent).values(received_at=datetime.now(UTC) - timedelta(hours=1)))
        db.session.commit()
    keep(app)
    assert rows(app) == 0


def keep(app: Flask) -> None:
    with app.app_context():
        keep_house()


def test_a_session_that_cannot_be_folded_does_not_hold_up_the_others(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MIN_BYTES", 1)
    shares = [shared(client, SESSION), shared(client, recorded.document("single-message"))]
    failed: list[str] = []

    def fails_first() -> None:
        if not failed:
            failed.append("once")
            raise StorageError("on purpose")

    during_put(monkeypatch, fails_first)
    keep(app)
    assert sorted(stored(app, share) is None for share in shares) == [False, True]
    keep(app)
    assert all(stored(app, share) for share in shares)


def test_the_page_of_a_share_asks_the_store_only_after_a_change(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = shared(client, SESSION)
    fold(app, share)
    client.get(f"/share/{share['id']}")
    monkeypatch.setattr("app.storage.disk.DiskStore.open", None)
    assert client.get(f"/share/{share['id']}").status_code == 200


def test_deleting_ends_everything_at_once(app: Flask, client: FlaskClient) -> None:
    share = shared(client, SESSION)
    fold(app, share)
    sync(client, share, items(first(2)))
    for _ in range(2):
        answer = client.delete(f"/api/share/{share['id']}", json={"secret": share["secret"]})
        assert (answer.status_code, answer.get_json()) == (200, {"ok": True})
    assert rows(app) == 0
    assert stored(app, share) is None
    for address in (f"/share/{share['id']}", f"/api/share/{share['id']}", f"/api/share/{share['id']}/data"):
        assert client.get(address).status_code == 404
    assert code(sync(client, share, items(SESSION))) == (404, "not_found")
    assert rows(app) == 0
    again = create(client, SESSION_ID)
    assert again["id"] != share["id"]


def test_deleting_needs_the_secret(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    assert code(client.delete(f"/api/share/{share['id']}", json={"secret": "wrong"})) == (401, "wrong_secret")
    assert client.get(f"/share/{share['id']}").status_code == 200


def test_an_account_has_the_same_under_its_own_prefix(client: FlaskClient) -> None:
    headers = {"authorization": "Bearer token", "x-org-id": "org_1"}
    share = client.post("/api/shares", json={"sessionID": SESSION_ID}, headers=headers).get_json()
    body = {"secret": share["secret"], "data": items(SESSION)}
    address = f"/api/shares/{share['id']}"
    assert client.post(f"{address}/sync", json=body, headers=headers).get_json() == {}
    assert client.get(f"{address}/data").data == client.get(f"/api/share/{share['id']}/data").data
    assert client.delete(address, json={"secret": share["secret"]}, headers=headers).status_code == 200
    assert client.get(f"/share/{share['id']}").status_code == 404


def test_what_is_imported_is_what_was_synced(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    data = client.get(f"/api/share/{share['id']}/data").get_json()
    synced = [item for item in items(SESSION) if item["type"] not in ("session_diff", "model")]
    assert by_key(data[1:]) == by_key(synced[1:])
    assert data[0]["data"] == {key: value for key, value in SESSION["session"].items() if key != "share"}


def by_key(items: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def test_a_share_belongs_to_the_way_it_was_made(client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    upload = uploads.share(client, recorded.document_bytes("single-message"), "anUpload")
    for response in (
        uploads.renew(client, share["id"], share["secret"]),
        uploads.create(client, share["id"], secret=share["secret"]),
        sync(client, {"id": "anUpload", "secret": upload["secret"]}, items(SESSION)),
    ):
        assert code(response) == (409, "other_way_in")
    assert client.get("/api/share/anUpload").data == recorded.document_bytes("single-message")
    assert code(uploads.create(client, share["id"])) == (409, "share_exists")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "invalid_json")),
        (b"\xff", (400, "invalid_json")),
        (b"", (400, "invalid_request")),
        (b"{}", (400, "invalid_request")),
        (b"[]", (400, "invalid_request")),
        (b'{"sessionID": ""}', (400, "invalid_request")),
        (b'{"sessionID": 5}', (400, "invalid_request")),
        (b'{"sessionID": "../etc"}', (400, "invalid_request")),
        (b'{"sessionID": "%s"}' % (b"x" * 1000), (400, "invalid_request")),
    ],
)
def test_a_malformed_creation_is_refused_with_a_reason(
    sqlite_client: FlaskClient, body: bytes, expected: tuple[int, str]
) -> None:
    assert code(sqlite_client.post("/api/share", data=body)) == expected


MESSAGE = SESSION["messages"][0]["info"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"secret": "SECRET", "data": [', (400, "invalid_json")),
        (b'{"secret": "SECRET", "data": [{"type": "text", "data": "\xff"}]}', (400, "invalid_json")),
        (b'{"secret": "SECRET"}', (400, "invalid_request")),
        (b'{"secret": "SECRET", "data": {}}', (400, "invalid_request")),
        (b'{"secret": "SECRET", "data": [5]}', (400, "invalid_request")),
        (b'{"secret": "SECRET", "data": [{"type": "message", "data": {}}]}', (400, "invalid_request")),
        (b'{"secret": "SECRET", "data": [{"type": "part", "data": {"id": "p"}}]}', (400, "invalid_request")),
        (b'{"secret": "SECRET", "data": [%s1]}' % (b"1," * 1_000_000), (400, "invalid_request")),
        (b'{"secret": "SECRET", "data": [%s{}]}' % (b"{}," * 1_000_000), (400, "invalid_request")),
        (b'{"secret": "SECRET", "data": [{"type": "x", "data": %s}]}' % (b"[" * 9_999 + b"]" * 9_999),
         (400, "invalid_json")),
        (b'{"secret": "wrong", "data": []}', (401, "wrong_secret")),
        (b'{"secret": 5, "data": []}', (401, "wrong_secret")),
        (b'{"data": []}', (401, "wrong_secret")),
        (b"", (400, "invalid_request")),
    ],
    ids=range(14),
)  # fmt: skip
def test_a_malformed_sync_is_refused_and_nothing_is_lost(
    sqlite_client: FlaskClient, body: bytes, expected: tuple[int, str]
) -> None:
    client = sqlite_client
    share = shared(client, SESSION)
    document = document_of(client, share)
    body = body.replace(b"SECRET", share["secret"].encode())
    response = client.post(f"/api/share/{share['id']}/sync", data=body)
    assert code(response) == expected
    assert len(response.get_json()["error"]) > 20
    assert document_of(client, share) == document


@pytest.mark.parametrize(
    "item",
    [
        {"type": "hologram", "data": {"from": "the future"}},
        {"type": "message", "data": {**MESSAGE, "id": "msg_other", "sessionID": "ses_another"}},
        {"type": "message", "data": {**MESSAGE, "sessionID": "ses_another"}},
        {"type": "part", "data": {"id": "prt_1", "messageID": "msg_unknown", "type": "text", "text": "x"}},
    ],
    ids=["of the future", "another session's", "another session's under our id", "without its message"],
)
def test_what_has_no_place_is_kept_and_not_shown(sqlite_client: FlaskClient, item: dict[str, Any]) -> None:
    share = shared(sqlite_client, SESSION)
    page = sqlite_client.get(f"/share/{share['id']}").text
    assert sync(sqlite_client, share, [item]).status_code == 200
    document = document_of(sqlite_client, share)
    assert document["messages"] == SESSION["messages"]
    assert document["others"] == [item]
    shown = sqlite_client.get(f"/share/{share['id']}")
    assert shown.status_code == 200
    assert shown.text.count("<article") == page.count("<article")
    assert len(sqlite_client.get(f"/api/share/{share['id']}/data").get_json()) == len(items(SESSION)) - 2


def test_an_unknown_share_is_not_found(sqlite_client: FlaskClient) -> None:
    assert code(sync(sqlite_client, {"id": "nowhere", "secret": "x"}, [])) == (404, "not_found")
    assert code(sync(sqlite_client, {"id": "a%00b", "secret": "x"}, [])) == (404, "not_found")
    assert code(sync(sqlite_client, {"id": "nowhere", "secret": "x"}, items(SESSION))) == (404, "not_found")


def test_half_a_character_is_stored_as_a_replacement(sqlite_client: FlaskClient) -> None:
    share = shared(sqlite_client, SESSION)
    part = {**SESSION["messages"][0]["parts"][0], "text": "cut \ud83d"}
    assert sync(sqlite_client, share, [{"type": "part", "data": part}]).status_code == 200
    assert "cut \ufffd" in sqlite_client.get(f"/share/{share['id']}").text


def test_a_first_sync_may_be_large_and_no_other_request(sqlite_client: FlaskClient) -> None:
    client = sqlite_client
    share = create(client, SESSION_ID)
    tool = next(part for part in recorded.parts("rate-limit-feature") if part["type"] == "tool")
    large = {**tool, "state": {**tool["state"], "output": "20 MB\n" * (20 * 1024 * 1024 // 7)}}
    assert sync(client, share, [*items(SESSION), {"type": "part", "data": large}]).status_code == 200
    assert "20 MB" in client.get(f"/api/share/{share['id']}").text
    assert code(client.post("/api/share", data=b" " * 100_000)) == (413, "too_large")


@pytest.fixture
def small(settings: dict[str, str]) -> Iterator[FlaskClient]:
    """A server that takes little more than the session."""
    size = len(json.dumps(SESSION)) + 20_000
    small = {**settings, "MAX_SESSION_BYTES": str(size), "RATELIMIT_ENABLED": "false"}
    with running_app(small) as app:
        yield app.test_client()


def test_a_batch_over_the_cap_is_refused(small: FlaskClient) -> None:
    share = shared(small, SESSION)
    huge = {"type": "hologram", "data": "x" * 200_000}
    assert code(sync(small, share, [huge])) == (413, "too_large")
    assert document_of(small, share)["messages"] == SESSION["messages"]


def test_a_session_that_grows_over_the_cap_keeps_what_it_had(small: FlaskClient) -> None:
    share = shared(small, SESSION)
    for _ in range(3):
        assert sync(small, share, items(SESSION)).status_code == 200
        assert rows(small.application) == 1
    more = {"type": "hologram", "data": "x" * 30_000}
    assert code(sync(small, share, [more])) == (413, "too_large")
    assert document_of(small, share)["messages"] == SESSION["messages"]
    assert sync(small, share, items(first(2))).status_code == 200


def test_a_document_cannot_be_older_than_what_was_acknowledged(app: Flask, client: FlaskClient) -> None:
    share = shared(client, SESSION)
    fold(app, share)
    with app.app_context():
        parts().store.delete(f"sessions/{share['id']}.json")
    assert code(client.get(f"/api/share/{share['id']}")) == (503, "storage_unavailable")


def test_the_document_of_an_earlier_share_is_nobodys(app: Flask, client: FlaskClient) -> None:
    share = shared(client, SESSION)
    fold(app, share)
    document = stored(app, share)
    assert document is not None
    client.delete(f"/api/share/{share['id']}", json={"secret": share["secret"]})
    with app.app_context():
        old = datetime.now(UTC) - timedelta(hours=2)
        db.session.execute(update(Share).values(last_link_at=old, deleted_at=old))
        db.session.commit()
    again = create(client, SESSION_ID)
    assert again["id"] == share["id"]
    with app.app_context():
        parts().store.put(f"sessions/{share['id']}.json", document, encoding="gzip")
    assert sync(client, again, items(first(1))).status_code == 200
    assert document_of(client, again)["messages"] == SESSION["messages"][:1]


def test_creations_of_both_ways_count_together(settings: dict[str, str]) -> None:
    with running_app({**settings, "RATELIMIT_CREATE": "3/hour"}) as app:
        client = app.test_client()
        secret = uploads.create(client).get_json()["secret"]
        create(client, SESSION_ID)
        create(client, SESSION_ID)
        headers = {"X-Share-Secret": secret}
        body = {"sessionID": SESSION_ID, "shareId": "GhIjKlMn"}
        assert client.post("/api/share", json=body, headers=headers).status_code == 429
        assert client.post("/api/shares", json=body, headers=headers).status_code == 429
        assert uploads.create(client, secret=secret).status_code == 200


def test_a_sync_counts_against_its_share_and_a_wrong_secret_against_the_address(
    settings: dict[str, str],
) -> None:
    limits = {"RATELIMIT_SHARE": "3/minute", "RATELIMIT_API": "5/minute"}
    with running_app({**settings, **limits}) as app:
        client = app.test_client()
        share = create(client, SESSION_ID)
        answers = [sync(client, share, []).status_code for _ in range(4)]
        assert answers == [200, 200, 200, 429]
        wrong = [sync(client, share, [], secret="wrong").status_code for _ in range(5)]
        assert wrong == [401] * 4 + [429]


def test_of_a_large_session_little_more_is_written_than_what_is_new(
    sqlite_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when housekeeping could fold after every batch: at most twice the batches, all in all."""
    app = sqlite_client.application
    large = recorded.document("large-output")
    share = shared(sqlite_client, large)
    keep(app)
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
        assert sync(sqlite_client, share, batch).status_code == 200
        with app.app_context():
            newest = select(ShareEvent.items).order_by(ShareEvent.number.desc()).limit(1)
            written += len(db.session.scalar(newest) or b"")
        keep(app)
    assert written + sum(folds) <= 2 * sent
