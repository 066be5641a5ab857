"""Input that is wrong, hostile or broken: each has a clear answer, and nothing is lost."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from app.opencode import UnreadableDocument
from app.services.documents.stored_document import StoredDocument
from tests.conftest import running_app
from tests.support.backdate import backdate
from tests.support.client import SESSION_ID, create, renew, share, share_unchecked, upload
from tests.support.recorded import document, document_bytes, with_parts

LEVELS = 10_000


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[" * LEVELS, "invalid_request"),
        (b"[]", "invalid_request"),
        (b"null", "invalid_request"),
        (b"", "invalid_request"),
        (b'{"shareId": "abc"}', "invalid_request"),
        (b'{"sessionId": "ses_1"}', "invalid_request"),
        (b'{"shareId": 5, "sessionId": "ses_1"}', "invalid_request"),
        (b'{"shareId": "../etc", "sessionId": "ses_1"}', "invalid_request"),
        (b'{"shareId": "a/b", "sessionId": "ses_1"}', "invalid_request"),
        (b'{"shareId": "a\\n", "sessionId": "ses_1"}', "invalid_request"),
        (b'{"shareId": "", "sessionId": "ses_1"}', "invalid_request"),
        (b'{"shareId": "abc", "sessionId": ""}', "invalid_request"),
        (json.dumps({"shareId": "x" * 1000, "sessionId": "ses_1"}).encode(), "invalid_request"),
        (json.dumps({"shareId": "abc", "sessionId": "x" * 1000}).encode(), "invalid_request"),
        (b'{"shareId": "abc", "sessionId": "ses_1", "size": "10"}', "invalid_request"),
        (b'{"shareId": "abc", "sessionId": "ses_1", "size": 0}', "invalid_request"),
        (b'{"shareId": "abc", "sessionId": "ses_1", "size": -5}', "invalid_request"),
        (b'{"shareId": "abc", "sessionId": "ses_1", "size": 1.5}', "invalid_request"),
    ],
)
def test_a_malformed_creation_is_refused_with_a_reason(client: FlaskClient, body: bytes, code: str) -> None:
    response = client.post("/api/share/presign", data=body, content_type="application/json")
    assert (response.status_code, response.get_json()["code"]) == (400, code)
    assert len(response.get_json()["error"]) > 20


def test_a_body_over_the_cap_is_refused(client: FlaskClient) -> None:
    response = client.post("/api/share/presign", data=b" " * 100_000)
    assert (response.status_code, response.get_json()["code"]) == (413, "too_large")


def test_an_encoding_other_than_gzip_is_refused(client: FlaskClient) -> None:
    assert create(client, contentEncoding="br").get_json()["code"] == "unsupported_encoding"
    secret = create(client).get_json()["secret"]
    assert renew(client, "GhIjKlMn", secret, contentEncoding="br").status_code == 415


def test_a_size_is_needed_where_the_server_says_so(settings: dict[str, str]) -> None:
    with running_app({**settings, "UPLOAD_SIZE_REQUIRED": "true"}) as app:
        client = app.test_client()
        assert create(client).get_json()["code"] == "size_required"
        assert create(client, size=10).status_code == 201


@pytest.mark.parametrize("share_id", ["..%2f..%2fetc", "x" * 1000, "%00", "a%20b", "ÿ"])
def test_a_strange_id_in_an_address_is_just_not_found(client: FlaskClient, share_id: str) -> None:
    headers = {"X-Share-Secret": "any"}
    for response in (
        client.get(f"/api/share/{share_id}"),
        client.get(f"/share/{share_id}"),
        client.delete(f"/api/share/{share_id}", headers=headers),
        client.post(f"/api/share/{share_id}/presign", json={}, headers=headers),
    ):
        assert response.status_code == 404


def test_a_strange_secret_is_just_wrong(client: FlaskClient) -> None:
    create(client)
    for secret in ("x" * 5000, "ÿ", " "):
        assert renew(client, "GhIjKlMn", secret).status_code == 401
    response = client.delete("/api/share/GhIjKlMn", json={"secret": {"a": 1}})
    assert response.status_code == 401


def deep(levels: int) -> bytes:
    part = {"type": "tool", "id": "prt_1", "tool": "deep", "state": {"status": "completed", "input": "HERE"}}
    nested = b'{"a":' * levels + b"1" + b"}" * levels
    return with_parts(part).replace(b'"HERE"', nested)


UNREADABLE = {
    "empty": b" ",
    "not JSON": b"<!doctype html><title>502 Bad Gateway</title>",
    "not UTF-8": b'{"session": {"id": "\xff"}, "messages": []}',
    "not a session": b'{"hello": "world"}',
    "another type": b'"session"',
    "a list": b"[]",
    "wrong types": b'{"session": [], "messages": {}}',
    "null session": b'{"session": null, "messages": []}',
    "cut short": document_bytes("rate-limit-feature")[:-100],
    "cut gzip": gzip.compress(document_bytes("rate-limit-feature"))[:-100],
    "broken gzip": gzip.compress(document_bytes("rate-limit-feature"))[:50] + b"x" * 1000,
    "gzip and more": gzip.compress(document_bytes("empty")) + gzip.compress(b"more"),
    "gzip that says too little": gzip.compress(document_bytes("empty"))[:-4] + b"\x08\0\0\0",
    "gzip that says too much": gzip.compress(document_bytes("empty"))[:-4] + b"\xff\xff\xff\0",
    "ten thousand levels": deep(LEVELS),
    "ten thousand lists": b'{"session": {}, "messages": ' + b"[" * LEVELS + b"]" * LEVELS + b"}",
    "five million messages": b'{"session": {"id": "ses_1"}, "messages": [' + b"{}," * 5_000_000 + b"{}]}",
    "five million parts": b'{"session": {"id": "ses_1"}, "messages": [{"parts": ['
    + b"{}," * 5_000_000
    + b"{}]}]}",
    "five million numbers": b'{"session": {"id": "ses_1"}, "messages": [' + b"1," * 5_000_000 + b"1]}",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_document_is_said_to_be_so(client: FlaskClient, name: str) -> None:
    share_unchecked(client, UNREADABLE[name])
    answer = client.get("/api/share/GhIjKlMn")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "unreadable_document")
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 422
    assert answer.get_json()["error"] in page.text.replace("&#39;", "'")


def test_an_unreadable_document_can_be_replaced(client: FlaskClient) -> None:
    secret = share_unchecked(client, b"{")["secret"]
    good = document_bytes("single-message")
    renewed = renew(client, "GhIjKlMn", secret, size=len(good)).get_json()
    assert upload(client, renewed, good).status_code == 200
    assert client.get("/share/GhIjKlMn").status_code == 200


def test_thirty_levels_are_ordinary(client: FlaskClient) -> None:
    share(client, deep(30))
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 200
    assert page.text.count('"a"') == 29  # the outermost is the name of the field


def peak_of_unpacking(stored: bytes, max_bytes: int, refused: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableDocument, match=refused):
            _ = StoredDocument("etag", stored, max_bytes).json
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_unpacking_stops_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of what is packed so loosely that zlib gives back each piece at once."""
    stored = gzip.compress(random.Random(1).randbytes(3_000_000).hex().encode())
    assert peak_of_unpacking(stored, 100_000, "larger than 100,000 bytes") < 1_500_000


def test_no_room_is_made_for_what_cannot_be_there() -> None:
    stored = gzip.compress(b"{}")[:-4] + b"\xff\xff\xff\x7f"
    assert peak_of_unpacking(stored, 50_000_000, "cannot be unpacked") < 1_500_000


def test_gzip_that_grows_past_the_cap_is_refused(settings: dict[str, str]) -> None:
    with running_app({**settings, "MAX_SESSION_BYTES": "100000"}) as app:
        client = app.test_client()
        bomb = gzip.compress(b'{"session": {}, "messages": [], "x": "' + b" " * 200_000 + b'"}')
        share_unchecked(client, bomb)
        for path in ("/api/share/GhIjKlMn", "/share/GhIjKlMn"):
            response = client.get(path)
            assert response.status_code == 422
            assert "100,000 bytes" in response.text


def test_a_stored_document_over_the_cap_is_removed_without_being_fetched(settings: dict[str, str]) -> None:
    large = document_bytes("tools-gallery")
    with running_app(settings) as app:
        share(app.test_client(), large)
    with running_app({**settings, "MAX_SESSION_BYTES": "100000"}) as app:
        client = app.test_client()
        assert client.get("/share/GhIjKlMn").status_code == 422
        assert client.get("/share/GhIjKlMn").status_code == 202


def test_a_lower_cap_hides_what_was_shared_before_but_removes_nothing(settings: dict[str, str]) -> None:
    with running_app(settings) as app:
        share(app.test_client(), document_bytes("tools-gallery"))
        backdate(app, timedelta(days=1))
    with running_app({**settings, "MAX_SESSION_BYTES": "100000"}) as app:
        assert app.test_client().get("/share/GhIjKlMn").status_code == 422
    with running_app(settings) as app:
        assert app.test_client().get("/share/GhIjKlMn").status_code == 200


ODD_PARTS = [
    None,
    5,
    "text",
    [],
    {},
    {"type": None},
    {"type": "text"},
    {"type": "text", "text": 5},
    {"type": "from-the-future", "payload": {"deep": [1, 2]}},
    {"type": "tool", "tool": "bash"},
    {"type": "tool", "tool": "bash", "state": {"status": "dreaming"}},
    {"type": "tool", "tool": "bash", "state": {"status": "completed", "input": None, "output": None}},
    {"type": "tool", "tool": "bash", "state": {"status": "completed", "input": "x", "metadata": 7}},
    {"type": "file", "url": "http://[bad", "mime": None},
    {"type": "file", "url": "data:image/png;base64,!!!", "mime": "image/png"},
    {"type": "patch", "files": {}},
    {"type": "retry", "attempt": "twice"},
    {"type": "reasoning", "text": "ok", "time": {"start": "now"}},
]


@pytest.mark.parametrize("part", ODD_PARTS, ids=str)
def test_an_odd_part_spoils_neither_the_page_nor_its_neighbours(client: FlaskClient, part: object) -> None:
    first = {"type": "text", "id": "prt_1", "text": "before it"}
    share(client, with_parts(first, part, {"type": "text", "id": "prt_3", "text": "after it"}))
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 200
    assert "before it" in page.text
    assert "after it" in page.text


@pytest.mark.parametrize(
    "message", [None, 5, [], {}, {"info": None}, {"info": {"id": 5}, "parts": []}], ids=str
)
def test_an_odd_message_spoils_only_itself(client: FlaskClient, message: object) -> None:
    session = document("single-message")
    session["messages"].insert(1, message)
    share(client, json.dumps(session).encode())
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 200
    assert "Unknown kind of block" in page.text
    for part in document("single-message")["messages"][0]["parts"]:
        assert part["text"] in page.text


def test_no_mutation_of_a_real_document_is_a_server_error(client: FlaskClient) -> None:
    secret = share(client, document_bytes("single-message"))["secret"]
    original = document_bytes("in-progress")
    chance = random.Random(4)
    for _ in range(60):
        mutated = bytearray(original)
        for _ in range(chance.randint(1, 5)):
            mutated[chance.randrange(len(mutated))] = chance.choice(b'{}[]",:0an\\\x00\xff')
        renewed = renew(client, "GhIjKlMn", secret, size=len(mutated)).get_json()
        upload(client, renewed, bytes(mutated))
        assert client.get("/share/GhIjKlMn").status_code in (200, 422)


def test_a_session_id_that_an_importer_keeps_does_not_matter(client: FlaskClient) -> None:
    create(client, "first-share")
    assert create(client, "second", sessionId=SESSION_ID).status_code == 201
