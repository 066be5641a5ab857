"""Uploads to the embedded store: they keep the promises of a presigned PUT."""

from __future__ import annotations

import gzip
import json
import socket
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from app.storage import DiskStore
from tests.conftest import running_app
from tests.support.client import create, share, upload
from tests.support.recorded import document_bytes, with_parts
from tests.support.servers.gunicorn import gunicorn

DOCUMENT = document_bytes("single-message")


def link_of(client: FlaskClient, **body: object) -> str:
    parts = urlsplit(create(client, **body).get_json()["presignedUrl"])
    return f"{parts.path}?{parts.query}"


def put(client: FlaskClient, link: str, data: bytes = DOCUMENT, **headers: str) -> tuple[int, str]:
    sent = {
        "Content-Type": "application/json",
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    response = client.put(link, data=data, headers=sent)
    return response.status_code, response.get_json().get("code", "ok")


def test_an_upload_as_signed_is_stored(client: FlaskClient) -> None:
    assert put(client, link_of(client, size=len(DOCUMENT))) == (200, "ok")


@pytest.mark.parametrize(
    "change",
    [
        lambda link: link.replace("GhIjKlMn", "GhIjKlMo"),
        lambda link: link.replace(f"size={len(DOCUMENT)}", "size="),
        lambda link: link.replace("expires=1", "expires=2"),
        lambda link: link.replace("encoding=", "encoding=gzip"),
        lambda link: link.replace("application%2Fjson", "text%2Fhtml"),
        lambda link: link[:-1] + ("0" if link[-1] != "0" else "1"),
        lambda link: link.partition("&sig")[0],
        lambda link: link.partition("?")[0],
    ],
    ids=["key", "size", "expiry", "encoding", "type", "signature", "no signature", "no query"],
)
def test_a_changed_link_is_refused(client: FlaskClient, change: Callable[[str], str]) -> None:
    create(client, "GhIjKlMo")
    link = link_of(client, size=len(DOCUMENT))
    changed = change(link)
    assert changed != link
    assert put(client, changed) == (403, "bad_signature")


def test_a_link_is_for_put_only(client: FlaskClient) -> None:
    link = link_of(client)
    assert client.get(link).status_code == 405
    assert client.post(link, data=DOCUMENT).status_code == 405


def test_an_expired_link_is_refused(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    link = link_of(client)
    monkeypatch.setattr("app.storage.signed_links.time.time", lambda: 4e9)
    assert put(client, link) == (403, "link_expired")


def test_an_upload_of_another_size_is_refused(client: FlaskClient) -> None:
    assert put(client, link_of(client, size=len(DOCUMENT) + 1)) == (403, "wrong_size")


def test_an_upload_of_another_type_is_refused(client: FlaskClient) -> None:
    assert put(client, link_of(client), Content_Type="text/html") == (415, "wrong_type")


def test_an_upload_in_another_encoding_is_refused(client: FlaskClient) -> None:
    assert put(client, link_of(client), Content_Encoding="gzip") == (415, "wrong_encoding")
    packed = gzip.compress(DOCUMENT)
    renewed = link_of(client, share_id="GhIjKlMo", contentEncoding="gzip")
    assert put(client, renewed, packed) == (415, "wrong_encoding")
    assert put(client, renewed, packed, Content_Encoding="gzip") == (200, "ok")


def test_an_upload_over_the_cap_is_refused(settings: dict[str, str]) -> None:
    with running_app({**settings, "MAX_SESSION_BYTES": "2000"}) as app:
        client = app.test_client()
        assert create(client, "declared", size=2001).get_json()["code"] == "too_large"
        assert put(client, link_of(client), b"x" * 2001) == (413, "too_large")
        assert put(client, link_of(client, share_id="fitting"), with_parts().ljust(2000)) == (200, "ok")


def test_an_upload_larger_than_a_json_body_may_be_is_taken(client: FlaskClient) -> None:
    document = document_bytes("large-output")
    assert put(client, link_of(client), document) == (200, "ok")


def test_a_failed_upload_leaves_the_last_document_alone(client: FlaskClient) -> None:
    answer = share(client, DOCUMENT)
    assert upload(client, answer, DOCUMENT[:-1]).status_code == 403
    assert client.get("/api/share/GhIjKlMn").data == DOCUMENT


def read_answer(address: str, request: bytes, body: bytes) -> bytes:
    """What the server says to a request whose body ends too early."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as connection:
        connection.sendall(request + body)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(4096)


@pytest.mark.server
def test_an_upload_without_a_length_or_cut_short_changes_nothing(tmp_path: Path) -> None:
    with gunicorn(tmp_path, WEB_CONCURRENCY="1") as address:
        body = json.dumps({"shareId": "GhIjKlMn", "sessionId": "ses_1"}).encode()
        with urllib.request.urlopen(f"{address}/api/share/presign", data=body) as response:
            link = urlsplit(json.load(response)["presignedUrl"])
        head = (
            f"PUT {link.path}?{link.query} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
        )
        chunked = read_answer(address, head + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n")
        short = read_answer(address, head + b"Content-Length: 100\r\n\r\n", b"{}")
        assert b" 411 " in chunked.splitlines()[0]
        assert b" 400 " in short.splitlines()[0]
        assert list((tmp_path / "data/documents").rglob("*")) in ([], [tmp_path / "data/documents/sessions"])


def test_an_upload_that_ends_after_its_share_was_deleted_leaves_nothing(
    client: FlaskClient, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = create(client, size=len(DOCUMENT)).get_json()

    def delete() -> None:
        client.delete("/api/share/GhIjKlMn", headers={"X-Share-Secret": answer["secret"]})

    def copy_slowly(body, write, length) -> None:
        write(body.read(length))
        # In a thread, as another request: within this one it would share its context.
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(delete).result()

    monkeypatch.setattr("app.storage.disk._copy", copy_slowly)
    assert upload(client, answer, DOCUMENT).get_json()["code"] == "share_deleted"
    assert files(settings) == []


def test_what_a_killed_worker_had_received_goes_with_its_share(
    client: FlaskClient, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = create(client, size=len(DOCUMENT)).get_json()
    monkeypatch.setattr("app.storage.disk._write", killed)
    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        upload(client, answer, DOCUMENT)
    monkeypatch.undo()
    assert len(files(settings)) == 1
    client.delete("/api/share/GhIjKlMn", headers={"X-Share-Secret": answer["secret"]})
    assert files(settings) == []


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def files(settings: dict[str, str]) -> list[Path]:
    return [path for path in Path(settings["DATA_DIR"], "documents").rglob("*") if path.is_file()]


@pytest.mark.server
def test_a_refused_upload_is_answered_once_all_of_it_was_sent(tmp_path: Path) -> None:
    with gunicorn(tmp_path, WEB_CONCURRENCY="1", MAX_SESSION_BYTES="20000000") as address:
        body = json.dumps({"shareId": "GhIjKlMn", "sessionId": "ses_1"}).encode()
        with urllib.request.urlopen(f"{address}/api/share/presign", data=body) as response:
            link = json.load(response)["presignedUrl"]
        upload = urllib.request.Request(
            link, data=b"x" * 15_000_000, method="PUT", headers={"Content-Type": "text/html"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(upload)
        with refused.value:
            assert refused.value.code == 415


class EndlessBody:
    def read(self, amount: int, /) -> bytes:
        return b"x" * amount


def test_a_large_upload_never_sits_in_memory(tmp_path: Path) -> None:
    store = DiskStore(tmp_path, "key", "https://share.example.com/api/upload")
    size = 100 * 1024 * 1024
    link = store.presign_upload("sessions/a.json", size=size, encoding=None, lifetime=60)
    query = dict(pair.split("=", 1) for pair in urlsplit(link.url).query.replace("%2F", "/").split("&"))
    tracemalloc.start()
    with store.stage_upload("sessions/a.json", query, link.headers, EndlessBody(), size) as staged:
        staged.commit()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "sessions/a.json").stat().st_size == size
    assert peak < 2 * 1024 * 1024
