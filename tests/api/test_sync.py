"""OpenCode's own share protocol, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support import client as uploads
from tests.support import recorded
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
    message_items,
    rows,
    shared,
    stored,
    sync,
)

pytestmark = [on_both_databases, without_rate_limits]


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


def test_an_unchanged_session_is_not_sent_twice(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    tag = {"If-None-Match": client.get(f"/api/share/{share['id']}").headers["ETag"]}
    assert client.get(f"/api/share/{share['id']}", headers=tag).status_code == 304
    sync(client, share, items(first(1)))
    assert client.get(f"/api/share/{share['id']}", headers=tag).status_code == 200


def test_undone_messages_are_marked_and_gone_with_the_next_prompt(client: FlaskClient) -> None:
    *kept, prompt, answer = SESSION["messages"][:10]
    made = shared(client, first(10))
    id, note = prompt["info"]["id"], "Undone: reverted, and no longer part of the session."
    assert note not in client.get(f"/share/{made['id']}").text
    undone = {**SESSION["session"], "revert": {"messageID": id}}
    assert sync(client, made, [{"type": "session", "data": undone}]).status_code == 200
    page = client.get(f"/share/{made['id']}").text
    assert (id in page, note in page) == (True, True)

    time = {**prompt["info"]["time"], "created": answer["info"]["time"]["created"] + 1}
    following = {**prompt, "info": {**prompt["info"], "id": "msg_zzz", "time": time}, "parts": []}
    restored = {"type": "session", "data": SESSION["session"]}
    assert sync(client, made, [restored, *message_items(following)]).status_code == 200
    page = client.get(f"/share/{made['id']}").text
    assert (id in page, note in page, "msg_zzz" in page) == (False, False, True)
    assert document_of(client, made)["messages"] == [*kept, following]


def test_deleting_ends_everything_at_once(app: Flask, client: FlaskClient) -> None:
    share = shared(client, SESSION)
    checkpoint(app, share)
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
@on_sqlite
def test_a_malformed_creation_is_refused_with_a_reason(
    client: FlaskClient, body: bytes, expected: tuple[int, str]
) -> None:
    assert code(client.post("/api/share", data=body)) == expected


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
        (b"", (401, "wrong_secret")),
    ],
    ids=range(14),
)  # fmt: skip
@on_sqlite
def test_a_malformed_sync_is_refused_and_nothing_is_lost(
    client: FlaskClient, body: bytes, expected: tuple[int, str]
) -> None:
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
@on_sqlite
def test_what_has_no_place_is_kept_and_not_shown(client: FlaskClient, item: dict[str, Any]) -> None:
    share = shared(client, SESSION)
    page = client.get(f"/share/{share['id']}").text
    assert sync(client, share, [item]).status_code == 200
    document = document_of(client, share)
    assert document["messages"] == SESSION["messages"]
    assert document["others"] == [item]
    shown = client.get(f"/share/{share['id']}")
    assert shown.status_code == 200
    assert shown.text.count("<article") == page.count("<article")
    assert len(client.get(f"/api/share/{share['id']}/data").get_json()) == len(items(SESSION)) - 2


@on_sqlite
def test_what_is_nested_just_too_deeply_to_be_read_is_refused(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    item = b'{"type": "part", "data": {"id": "prt_deep", "messageID": "%b", "type": "x", "x": %b}}'

    def answer(levels: int) -> int:
        part = item % (MESSAGE["id"].encode(), b"[" * levels + b"]" * levels)
        body = b'{"secret": "%b", "data": [%b]}' % (share["secret"].encode(), part)
        return client.post(f"/api/share/{share['id']}/sync", data=body).status_code

    taken, refused = 100, 100_000
    while refused - taken > 1:
        levels = (taken + refused) // 2
        taken, refused = (levels, refused) if answer(levels) == 200 else (taken, levels)
    assert (answer(refused), answer(taken)) == (400, 200)
    assert client.get(f"/share/{share['id']}").status_code == 200


@on_sqlite
def test_an_unknown_share_is_not_found(client: FlaskClient) -> None:
    assert code(sync(client, {"id": "nowhere", "secret": "x"}, [])) == (404, "not_found")
    assert code(sync(client, {"id": "a%00b", "secret": "x"}, [])) == (404, "not_found")
    assert code(sync(client, {"id": "nowhere", "secret": "x"}, items(SESSION))) == (404, "not_found")


def without_reading_the_rest(client: FlaskClient, share: dict[str, str], body: bytes) -> tuple[int, int]:
    """The status of the answer to a sync, and how many bytes of its body were read for it."""
    stream = BytesIO(body)
    headers = {"Content-Length": str(len(body))}
    answer = client.post(f"/api/share/{share['id']}/sync", input_stream=stream, headers=headers)
    return answer.status_code, stream.tell()


LARGE = b'[{"type": "hologram", "data": "%b"}]' % (b"x" * 3_000_000)


@pytest.mark.parametrize(
    "body",
    [
        b'{"secret": "wrong", "data": %b}' % LARGE,
        b'{"secret": "\\ud800", "data": %b}' % LARGE,
        b'{"secret": "%b", "data": []}' % (b"x" * 3_000_000),
        b'{"data": %b, "secret": "RIGHT"}' % LARGE,
        b'{"data": %b}' % LARGE,
        b"[" * 3_000_000,
        b'{"a":' * 600_000,
        b'{"data": %b' % (b"1" * 3_000_000),
        b'"secret": "RIGHT"' + b" " * 3_000_000,
    ],
    ids=range(9),
)
@on_sqlite
def test_of_a_sync_without_the_secret_at_its_beginning_only_that_is_read(
    client: FlaskClient, body: bytes
) -> None:
    share = create(client, SESSION_ID)
    body = body.replace(b"RIGHT", share["secret"].encode())
    assert without_reading_the_rest(client, share, body) == (401, 64 * 1024)


@pytest.mark.parametrize("size", [10, 70_000, 900_000])
@pytest.mark.parametrize(
    "form",
    [
        '{"secret": "SECRET", "data": [DATA]}',
        '{ "sessionID" : "x",\n"secret":"SECRET", "data": [DATA]}',
        '{"data": [DATA], "secret": "SECRET"}',
        '{"data": [DATA] ,\n "secret" : "SECRET" }\n',
    ],
    ids=range(4),
)
@on_sqlite
def test_the_secret_may_be_anywhere_in_the_body_of_a_sync(client: FlaskClient, size: int, form: str) -> None:
    share = create(client, SESSION_ID)
    item = json.dumps({"type": "hologram", "data": {"secret": "another", "text": "x" * size}})
    body = form.replace("DATA", item).replace("SECRET", share["secret"])
    assert client.post(f"/api/share/{share['id']}/sync", data=body).status_code == 200
    body = form.replace("DATA", item).replace("SECRET", "wrong")
    assert client.post(f"/api/share/{share['id']}/sync", data=body).status_code == 401


@on_sqlite
def test_half_a_character_is_stored_as_a_replacement(client: FlaskClient) -> None:
    share = shared(client, SESSION)
    part = {**SESSION["messages"][0]["parts"][0], "text": "cut \ud83d"}
    assert sync(client, share, [{"type": "part", "data": part}]).status_code == 200
    assert "cut \ufffd" in client.get(f"/share/{share['id']}").text


@on_sqlite
def test_a_first_sync_may_be_large_and_no_other_request(client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    tool = next(part for part in recorded.parts("rate-limit-feature") if part["type"] == "tool")
    large = {**tool, "state": {**tool["state"], "output": "20 MB\n" * (20 * 1024 * 1024 // 7)}}
    assert sync(client, share, [*items(SESSION), {"type": "part", "data": large}]).status_code == 200
    assert "20 MB" in client.get(f"/api/share/{share['id']}").text
    assert code(client.post("/api/share", data=b" " * 100_000)) == (413, "too_large")


@on_sqlite
@pytest.mark.settings(RATELIMIT_ENABLED="true", RATELIMIT_CREATE="3/hour")
def test_creations_of_both_ways_count_together(client: FlaskClient) -> None:
    secret = uploads.create(client).get_json()["secret"]
    create(client, SESSION_ID)
    create(client, SESSION_ID)
    headers = {"X-Share-Secret": secret}
    body = {"sessionID": SESSION_ID, "shareId": "GhIjKlMn"}
    assert client.post("/api/share", json=body, headers=headers).status_code == 429
    assert client.post("/api/shares", json=body, headers=headers).status_code == 429
    assert uploads.create(client, secret=secret).status_code == 200


@on_sqlite
@pytest.mark.settings(RATELIMIT_ENABLED="true", RATELIMIT_SHARE="3/minute", RATELIMIT_API="5/minute")
def test_a_sync_counts_against_its_share_and_a_wrong_secret_against_the_address(client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    answers = [sync(client, share, []).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    wrong = [sync(client, share, [], secret="wrong").status_code for _ in range(5)]
    assert wrong == [401] * 4 + [429]


def test_the_id_of_a_share_is_never_so_short_that_it_can_be_guessed(client: FlaskClient) -> None:
    assert len(create(client, "Y")["id"]) > 6
