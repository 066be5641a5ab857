"""A session is read in whatever encoding a program or a shell wrote it; what cannot be read is named."""

from __future__ import annotations

import gzip
import json

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode import UnreadableDocument, as_utf8, read_conversation
from app.services.documents import sources
from tests.opencode.test_fixtures import letters
from tests.support import field, recorded
from tests.support.client import create, renew, share, share_unchecked, upload

SESSION = recorded.document_bytes("unicode-and-injection")
TEXT = SESSION.decode()

ENCODINGS = {
    "UTF-8 with BOM": b"\xef\xbb\xbf" + SESSION,
    "UTF-16 LE": b"\xff\xfe" + TEXT.encode("utf-16-le"),
    "UTF-16 BE": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "a line before": b"Exporting session: ses_1\n" + SESSION,
    "no line end before": b"Exporting session: latest" + SESSION,
    "lines with brackets before": b"[INFO] exporting {1}\r\n[12:30:01] done\r\n" + SESSION,
    "blank lines before": b"\r\n\r\n  " + SESSION,
    "everything": b"\xff\xfe" + ("[warn] slow\r\n" + TEXT.replace("\n", "\r\n")).encode("utf-16-le"),
}


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_session_in_any_encoding_is_read(client: FlaskClient, name: str, encoding: str) -> None:
    document = ENCODINGS[name]
    is_packed = encoding == "gzip"
    body = gzip.compress(document) if is_packed else document
    share(client, body, **({"contentEncoding": "gzip"} if is_packed else {}))
    assert client.get("/share/GhIjKlMn").status_code == 200
    answer = client.get("/api/share/GhIjKlMn", headers={"Accept-Encoding": "gzip"})
    served = gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") else answer.data
    assert json.loads(served.decode()) == json.loads(SESSION)
    assert client.get("/share/GhIjKlMn.json").get_json() == json.loads(SESSION)
    assert client.get("/api/share/GhIjKlMn/data").get_json()[0]["type"] == "session"


def test_an_export_of_powershell_is_shown(client: FlaskClient) -> None:
    share(client, field.document_bytes("export-utf16le"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert root.xpath("string(//h1)") == "Export from PowerShell"
    assert "sí" in letters(root.text_content())


UNREADABLE = {
    "UTF-16 without a byte order mark": TEXT.encode("utf-16-le"),
    "UTF-16 without a byte order mark;": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "ends within a character": b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1],
    "not valid JSON": b"Error: session not found\n",
}


@pytest.mark.parametrize("reason", UNREADABLE)
def test_what_cannot_be_read_is_refused_and_what_was_there_stays(client: FlaskClient, reason: str) -> None:
    secret = share(client, SESSION)["secret"]
    renewed = renew(client, "GhIjKlMn", secret).get_json()
    refused = upload(client, renewed, UNREADABLE[reason])
    assert (refused.status_code, refused.get_json()["code"]) == (422, "unreadable_document")
    assert reason in refused.get_json()["error"]
    assert client.get("/api/share/GhIjKlMn").data == SESSION


@pytest.mark.parametrize("reason", UNREADABLE)
def test_what_another_store_took_is_named_on_the_page(client: FlaskClient, reason: str) -> None:
    share_unchecked(client, UNREADABLE[reason])
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 422
    assert reason in page.text


@pytest.mark.parametrize(
    "document", [b"[1]", b'{"session": 5, "messages": []}', b"\x1f\x8b" + b"x" * 100, b"{"]
)
def test_what_another_store_took_is_read_once_whatever_is_asked_for(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, document: bytes
) -> None:
    share_unchecked(client, document)
    read: list[object] = []
    read_body = sources.read_body
    monkeypatch.setattr(
        "app.services.documents.sources.read_body", lambda *args: read.append(args) or read_body(*args)
    )
    asked = ["/api/share/GhIjKlMn", "/share/GhIjKlMn", "/api/share/GhIjKlMn/data"]
    asked += [
        f"/share/GhIjKlMn{path}" for path in (".json", ".md", "/card.png", "/changes", "/m/x", "/block/x")
    ]
    for path in asked * 2:
        answer = client.get(path)
        assert answer.status_code == 422, path
    assert len(read) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"session": 5, "messages": []},
        {"info": [], "messages": []},
        [{"type": "session", "data": 5}],
        {"session": {}, "messages": [], "children": 5, "diffs": {}} | {"session": "x"},
        {"session": {}, "messages": [{}] * 60_000},
        {"session": {}, "messages": [{"parts": [{}] * 210_000}]},
    ],
    ids=range(6),
)
def test_an_upload_that_no_page_could_show_is_refused(client: FlaskClient, document: object) -> None:
    answer = create(client).get_json()
    assert upload(client, answer, json.dumps(document).encode()).status_code == 422


def test_a_refused_upload_leaves_a_new_share_waiting(client: FlaskClient) -> None:
    answer = create(client).get_json()
    assert upload(client, answer, b"<!doctype html>").status_code == 422
    assert client.get("/share/GhIjKlMn").status_code == 202


def test_only_the_beginning_is_searched_for_the_json() -> None:
    with pytest.raises(UnreadableDocument):
        read_conversation(as_utf8(b"x" * 5000 + SESSION).json)
