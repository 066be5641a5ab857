"""What both stores promise alike: writing, and listing."""

from __future__ import annotations

import gzip
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.storage import (
    ObjectStore,
    StorageError,
    delete_objects,
    document_key,
    object_key,
    objects_of,
    open_store,
    revision_of_checkpoint,
    share_id_of,
)
from config import read_config
from tests.support.servers.s3 import s3_client

PACKED = gzip.compress(b"{}")


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    settings = {"DATA_DIR": str(tmp_path)}
    if request.param == "s3":
        settings |= request.getfixturevalue("empty_bucket")
    return open_store(read_config(settings))


def test_what_was_put_is_found_with_its_etag(store: ObjectStore) -> None:
    store.put(document_key("one"), PACKED, encoding="gzip")
    stored = store.open(document_key("one"))
    assert stored is not None
    assert stored.body is not None
    assert stored.body.read(1000) == PACKED
    stored.body.close()
    unchanged = store.open(document_key("one"), stored.etag)
    assert unchanged is not None
    assert unchanged.body is None


def test_putting_replaces_what_was_there(store: ObjectStore) -> None:
    etags = set()
    for data in (b"{}", b'{"a": 1}'):
        store.put(document_key("one"), data, encoding=None)
        stored = store.open(document_key("one"))
        assert stored is not None
        assert stored.body is not None
        stored.body.close()
        etags.add(stored.etag)
    assert len(etags) == 2
    assert [(info.key, info.size) for info in store.list()] == [("sessions/one.json", 8)]


def test_a_document_that_is_deleted_as_soon_as_it_is_in_its_folder_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(read_config({"DATA_DIR": str(tmp_path)}))
    rename = Path.rename

    def rename_and_delete(draft: Path, target: Path) -> Path:
        rename(draft, target)
        target.unlink()
        return target

    monkeypatch.setattr(Path, "rename", rename_and_delete)
    store.put(document_key("one"), PACKED, encoding="gzip")
    assert store.open(document_key("one")) is None


def test_an_object_put_into_a_bucket_has_the_headers_of_an_upload(
    empty_bucket: dict[str, str], tmp_path: Path
) -> None:
    open_store(read_config({"DATA_DIR": str(tmp_path), **empty_bucket})).put(
        "sessions/one.json", PACKED, encoding="gzip"
    )
    head = s3_client(empty_bucket).head_object(Bucket="shares", Key="sessions/one.json")
    assert head["ContentType"] == "application/json"
    assert head["ContentEncoding"] == "gzip"
    assert head["CacheControl"] == "private, no-store"


def test_objects_are_listed_with_size_and_time(store: ObjectStore) -> None:
    assert list(store.list()) == []
    store.put(document_key("one"), b"{}", encoding=None)
    store.put(document_key("another"), PACKED, encoding="gzip")
    store.put("elsewhere/one.json", b"{}", encoding=None)
    listed = {info.key: info for info in store.list()}
    assert {key: info.size for key, info in listed.items()} == {
        "sessions/one.json": 2,
        "sessions/another.json": len(PACKED),
    }
    for info in listed.values():
        assert abs(info.modified_at.timestamp() - time.time()) < 60
    assert [info.key for info in store.list("sessions/on")] == ["sessions/one.json"]


def test_a_listing_goes_beyond_the_thousand_that_s3_gives_at_once(store: ObjectStore) -> None:
    keys = {document_key(f"share{number}") for number in range(1001)}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, b"{}", encoding=None), keys))
    assert {info.key for info in store.list()} == keys


def test_the_objects_of_a_share_are_found_and_deleted_and_no_others(store: ObjectStore) -> None:
    kept = {document_key("ab"), object_key("ab", "1-x"), document_key("a-")}
    keys = {document_key("a"), object_key("a", "1-x"), object_key("a", "2-y")}
    for key in kept | keys:
        store.put(key, b"{}", encoding=None, if_absent=True)
    assert {info.key for info in objects_of(store, "a")} == keys
    assert {share_id_of(key) for key in keys} == {"a"}
    assert {revision_of_checkpoint(key) for key in keys} == {None, 1, 2}
    delete_objects(store, "a")
    assert objects_of(store, "a") == []
    assert {info.key for info in store.list()} == kept


def test_an_object_that_may_only_be_created_is_not_overwritten_in_a_bucket(
    empty_bucket: dict[str, str], tmp_path: Path
) -> None:
    store = open_store(read_config({"DATA_DIR": str(tmp_path), **empty_bucket}))
    for data in (b"{}", b"[1]"):
        store.put("sessions/a/1-x.json", data, encoding=None, if_absent=True)
    info = store.info("sessions/a/1-x.json")
    assert info is not None
    assert info.size == 2


def test_what_is_deleted_during_a_listing_is_no_error(store: ObjectStore) -> None:
    for number in range(3):
        store.put(document_key(f"share{number}"), b"{}", encoding=None)
    for info in store.list():
        for number in range(3):
            store.delete(document_key(f"share{number}"))
        assert info.size == 2
    assert list(store.list()) == []


def test_a_bucket_that_is_not_there_cannot_be_listed(s3_settings: dict[str, str], tmp_path: Path) -> None:
    store = open_store(read_config({"DATA_DIR": str(tmp_path), **s3_settings, "S3_BUCKET": "elsewhere"}))
    with pytest.raises(StorageError):
        list(store.list())
