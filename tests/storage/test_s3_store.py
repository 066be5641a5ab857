"""The S3 store: against a server that verifies signatures, and its failures against moto."""

from __future__ import annotations

import gzip
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from sqlalchemy import update

from app.db.extensions import db
from app.db.models import Share
from app.services.maintenance import run_maintenance
from app.storage import StorageError, StoredObject, UploadLink, open_store
from app.storage.s3 import S3Store, _Body
from config import read_config
from tests.conftest import running_app
from tests.support.client import create, renew
from tests.support.patience import patience
from tests.support.recorded import document_bytes
from tests.support.servers import free_ports
from tests.support.servers.s3 import s3_client, stored_keys

KEY = "sessions/GhIjKlMn.json"
DOCUMENT = document_bytes("single-message")
PACKED = gzip.compress(DOCUMENT)


@pytest.fixture
def store(s3_settings: dict[str, str], tmp_path: Path) -> S3Store:
    return make_store(s3_settings, tmp_path)


def make_store(settings: dict[str, str], folder: Path) -> S3Store:
    store = open_store(read_config({"DATA_DIR": str(folder), **settings}))
    assert isinstance(store, S3Store)
    return store


def put(link: UploadLink, data: bytes, method: str = "PUT", url: str = "", **headers: str | None) -> int:
    """The status of an upload; `headers` replace some of the link's, None leaves one out."""
    sent = {**link.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(url or link.url, data=data, method=method)
    for name, value in sent.items():
        if value is not None and name != "Content-Length":
            request.add_header(name, value)
    try:
        with urllib.request.urlopen(request) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def read(found: StoredObject | None) -> bytes:
    assert found is not None
    assert found.body is not None
    data = found.body.read(found.size + 1)
    found.body.close()
    return data


def presign(store: S3Store, size: int | None = len(PACKED), encoding: str | None = "gzip") -> UploadLink:
    return store.presign_upload(KEY, size=size, encoding=encoding, lifetime=60)


def test_a_presigned_upload_is_taken_and_read_back(store: S3Store) -> None:
    assert put(presign(store), PACKED) == 200
    assert read(store.open(KEY)) == PACKED


def test_an_upload_keeps_the_headers_it_was_signed_with(store: S3Store, s3_settings: dict[str, str]) -> None:
    put(presign(store), PACKED)
    head = s3_client(s3_settings).head_object(Bucket="shares", Key=KEY)
    assert head["ContentType"] == "application/json"
    assert head["ContentEncoding"] == "gzip"
    assert head["CacheControl"] == "private, no-store"


def test_an_upload_without_a_declared_size_is_taken(store: S3Store) -> None:
    link = presign(store, size=None, encoding=None)
    assert "Content-Length" not in link.headers
    assert put(link, DOCUMENT) == 200


@pytest.mark.parametrize(
    "tampered",
    [
        lambda link: put(link, PACKED + b"x"),
        lambda link: put(link, PACKED, Content_Type="text/html"),
        lambda link: put(link, PACKED, Content_Encoding=None),
        lambda link: put(link, PACKED, Cache_Control="public, max-age=9"),
        lambda link: put(link, PACKED, url=link.url.replace("GhIjKlMn", "GhIjKlMo")),
        lambda link: put(link, PACKED, url=link.url.replace("Expires=60", "Expires=6000")),
        lambda link: put(link, PACKED, url=link.url[:-1] + ("0" if link.url[-1] != "0" else "1")),
        lambda link: put(link, PACKED, method="POST"),
        lambda link: put(link, PACKED, url=link.url.partition("?")[0]),
    ],
    ids=["length", "type", "encoding", "caching", "key", "expiry", "signature", "method", "unsigned"],
)
def test_an_upload_other_than_signed_is_refused(
    store: S3Store, tampered: Callable[[UploadLink], int]
) -> None:
    store.delete(KEY)
    assert tampered(presign(store)) in (400, 403, 405, 411)
    assert store.open(KEY) is None


def test_an_expired_link_is_refused(store: S3Store) -> None:
    link = store.presign_upload(KEY, size=None, encoding=None, lifetime=1)
    deadline = time.monotonic() + patience(30)
    while put(link, DOCUMENT) == 200:
        assert time.monotonic() < deadline, "the link never expired"
    assert put(link, DOCUMENT) == 403


def test_what_the_caller_holds_already_is_not_sent_again(store: S3Store) -> None:
    put(presign(store), PACKED)
    first = store.open(KEY)
    assert first is not None
    read(first)
    again = store.open(KEY, first.etag)
    assert again is not None
    assert (again.etag, again.body) == (first.etag, None)
    put(presign(store, len(DOCUMENT), None), DOCUMENT)
    assert read(store.open(KEY, first.etag)) == DOCUMENT


def test_a_missing_object_is_none_and_may_be_deleted(store: S3Store) -> None:
    store.delete("sessions/none.json")
    assert store.open("sessions/none.json") is None


def test_a_healthy_bucket_passes_the_check(store: S3Store) -> None:
    store.check()


def test_a_missing_bucket_is_an_error_and_not_a_missing_object(
    s3_settings: dict[str, str], tmp_path: Path
) -> None:
    store = make_store({**s3_settings, "S3_BUCKET": "elsewhere"}, tmp_path)
    with pytest.raises(StorageError):
        store.check()
    with pytest.raises(StorageError):
        store.open(KEY)


def test_an_unreachable_bucket_is_an_error(s3_settings: dict[str, str], tmp_path: Path) -> None:
    [port] = free_ports(1)
    store = make_store({**s3_settings, "S3_ENDPOINT": f"http://127.0.0.1:{port}"}, tmp_path)
    for call in (store.check, lambda: store.open(KEY), lambda: store.delete(KEY)):
        with pytest.raises(StorageError, match="does not answer") as failed:
            call()
        assert str(failed.value) == (
            f"the bucket at 127.0.0.1:{port} does not answer: "
            "EndpointConnectionError, ECONNREFUSED (Connection refused)"
        )


def test_links_point_at_the_endpoint_that_clients_see(s3_settings: dict[str, str], tmp_path: Path) -> None:
    public = {"S3_PRESIGN_ENDPOINT": "https://s3.example.com"}
    link = presign(make_store({**s3_settings, **public}, tmp_path))
    assert link.url.startswith("https://s3.example.com/shares/sessions/GhIjKlMn.json?")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link.url


def test_the_bucket_may_stand_in_the_host_name(s3_settings: dict[str, str], tmp_path: Path) -> None:
    style = {"S3_ADDRESSING_STYLE": "virtual", "S3_PRESIGN_ENDPOINT": "https://s3.example.com"}
    link = presign(make_store({**s3_settings, **style}, tmp_path))
    assert link.url.startswith("https://shares.s3.example.com/sessions/GhIjKlMn.json?")


def test_documents_are_read_through_the_public_bucket(
    s3_settings: dict[str, str], s3_filer: str, tmp_path: Path
) -> None:
    # SeaweedFS answers unsigned requests for its filer, which stands in for a bucket's public address.
    store = make_store({**s3_settings, "S3_PUBLIC_URL": f"{s3_filer}/buckets/shares"}, tmp_path)
    put(presign(store), PACKED)
    first = store.open(KEY)
    assert first is not None
    assert read(first) == PACKED
    again = store.open(KEY, first.etag)
    assert again is not None
    assert again.body is None
    assert store.open("sessions/none.json") is None


def test_a_share_lives_and_ends_on_s3(s3_settings: dict[str, str], settings: dict[str, str]) -> None:
    with running_app({**settings, **s3_settings}) as app:
        client = app.test_client()
        answer = create(client, "LifeOnS3", size=len(PACKED), contentEncoding="gzip").get_json()
        assert client.get("/share/LifeOnS3").status_code == 202
        assert put(UploadLink(answer["presignedUrl"], answer["headers"]), PACKED) == 200
        assert client.get("/share/LifeOnS3").status_code == 200
        etag = client.get("/api/share/LifeOnS3").headers["ETag"]
        unchanged = client.get("/api/share/LifeOnS3", headers={"If-None-Match": etag})
        assert unchanged.status_code == 304
        secret = {"X-Share-Secret": answer["secret"]}
        assert client.delete("/api/share/LifeOnS3", headers=secret).status_code == 200
        assert client.get("/share/LifeOnS3").status_code == 404
    assert "sessions/LifeOnS3.json" not in stored_keys(s3_settings)


@pytest.fixture
def broken(settings: dict[str, str], s3_settings: dict[str, str]) -> dict[str, str]:
    """The settings of an app whose bucket cannot be reached."""
    [port] = free_ports(1)
    return {**settings, **s3_settings, "S3_ENDPOINT": f"http://127.0.0.1:{port}"}


def test_a_bucket_out_of_reach_is_a_503_that_says_when_to_come_back(broken: dict[str, str]) -> None:
    with running_app(broken) as app:
        client = app.test_client()
        assert create(client).status_code == 201
        for path in ("/api/share/GhIjKlMn", "/readyz"):
            response = client.get(path)
            assert (response.status_code, response.get_json()["code"]) == (503, "storage_unavailable")
            assert int(response.headers["Retry-After"]) > 0
        page = client.get("/share/GhIjKlMn")
        assert page.status_code == 503
        assert "Traceback" not in page.text


def test_a_delete_whose_bucket_fails_ends_the_share_and_is_finished_later(
    broken: dict[str, str], s3_settings: dict[str, str]
) -> None:
    s3_client(s3_settings).put_object(Bucket="shares", Key=KEY, Body=DOCUMENT)
    with running_app(broken) as app:
        client = app.test_client()
        secret = create(client).get_json()["secret"]
        headers = {"X-Share-Secret": secret}
        assert client.delete("/api/share/GhIjKlMn", headers=headers).status_code == 200
        assert KEY in stored_keys(s3_settings)
        assert client.get("/share/GhIjKlMn").status_code == 404
        assert renew(client, "GhIjKlMn", secret).status_code == 404
    with running_app({**broken, **s3_settings}) as app:
        with app.app_context():
            db.session.execute(update(Share).values(cleanup_at=Share.created_at))
            db.session.commit()
            run_maintenance()
        assert app.test_client().delete("/api/share/GhIjKlMn", headers=headers).status_code == 404
    assert KEY not in stored_keys(s3_settings)


def test_clients_are_made_once_and_not_before_they_are_needed(tmp_path: Path) -> None:
    settings = {
        "S3_ENDPOINT": "https://s3.us-east-1.amazonaws.com",
        "S3_ACCESS_KEY_ID": "id",
        "S3_SECRET_ACCESS_KEY": "key",
        "S3_BUCKET": "shares",
    }
    with mock_aws():
        store = make_store(settings, tmp_path)
        assert "_client" not in vars(store)
        s3_client(settings).create_bucket(Bucket="shares")
        s3_client(settings).put_object(Bucket="shares", Key=KEY, Body=DOCUMENT)
        assert read(store.open(KEY)) == DOCUMENT
        client = vars(store)["_client"]
        store.delete(KEY)
        assert store.open(KEY) is None
        assert vars(store)["_client"] is client


def test_a_body_that_breaks_off_is_an_error() -> None:
    class Breaking:
        def read(self, amount: int, /) -> bytes:
            raise EndpointConnectionError(endpoint_url="https://s3.example.com")

        def close(self) -> None:
            pass

    with pytest.raises(StorageError, match="does not answer"):
        _Body(Breaking(), 1, "s3.example.com").read(1)
