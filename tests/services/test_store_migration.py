"""`flask shares migrate-store`: from SQLite and a folder to PostgreSQL and S3, and back."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from app.storage import DiskStore, StorageError
from app.storage.s3 import S3Store
from tests.conftest import running_app
from tests.support.client import create, delete, renew, share, upload
from tests.support.paths import ROOT
from tests.support.recorded import document_bytes
from tests.support.servers.gunicorn import PROGRAMS, environment
from tests.support.servers.s3 import s3_client, stored_keys

LARGE, SMALL = document_bytes("rate-limit-feature"), document_bytes("single-message")
PACKED = gzip.compress(LARGE)
PAGES = ["", "/changes", "/prompts", ".md", ".json"]


@pytest.fixture
def new_settings(
    settings: dict[str, str], postgres_database: str, empty_bucket: dict[str, str], tmp_path: Path
) -> dict[str, str]:
    """PostgreSQL and S3, beside the SQLite and folder of `settings`."""
    return {
        **settings,
        **empty_bucket,
        "DATABASE_URL": postgres_database,
        "DATA_DIR": str(tmp_path / "new"),
        "RATELIMIT_ENABLED": "false",
    }


@pytest.fixture
def new(
    new_settings: dict[str, str], settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    monkeypatch.setenv("OLD_DATA_DIR", settings["DATA_DIR"])
    with running_app(new_settings) as app:
        yield app


def move(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["shares", "migrate-store"])


def settle(settings: dict[str, str]) -> None:
    """Makes the documents an hour old; S3 tells whole seconds only, and would seem to hold older ones."""
    for path in Path(settings["DATA_DIR"], "documents", "sessions").iterdir():
        then = path.stat().st_mtime - 3600
        os.utime(path, (then, then))


def pages(client: FlaskClient, share_id: str) -> dict[str, str]:
    """What readers see; only the version that the store gave the document may differ."""
    found = {page: client.get(f"/share/{share_id}{page}") for page in PAGES}
    assert {answer.status_code for answer in found.values()} == {200}
    return {page: re.sub(r'data-etag="[^"]*"', "", answer.text) for page, answer in found.items()}


def test_everything_is_the_same_at_the_new_place(
    client: FlaskClient, settings: dict[str, str], new_settings: dict[str, str]
) -> None:
    secret = share(client, PACKED, "packed", contentEncoding="gzip")["secret"]
    share(client, SMALL, "plain-share", expiresIn=86_400)
    create(client, "empty-share")
    delete(client, "deleted", create(client, "deleted").get_json()["secret"])
    before = {share_id: pages(client, share_id) for share_id in ("packed", "plain-share")}
    ran = subprocess.run(
        [PROGRAMS / "flask", "shares", "migrate-store"],
        cwd=ROOT,
        env=environment({**new_settings, "OLD_DATA_DIR": settings["DATA_DIR"]}),
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("shares moved: 4, documents moved: 2 (")
    with running_app(new_settings) as app:
        there = app.test_client()
        assert {share_id: pages(there, share_id) for share_id in before} == before
        assert there.get("/api/share/packed", headers={"Accept-Encoding": "gzip"}).data == PACKED
        assert there.get("/api/share/empty-share").get_json()["code"] == "not_uploaded"
        assert create(there, "deleted").status_code == 409
        assert renew(there, "plain-share", "wrong").status_code == 401
        assert renew(there, "packed", secret).status_code == 200
        assert delete(there, "packed", secret).status_code == 200
    head = s3_client(new_settings).list_objects_v2(Bucket="shares")
    assert [found["Key"] for found in head["Contents"]] == ["sessions/plain-share.json"]


def test_all_can_be_moved_back(
    client: FlaskClient,
    new: Flask,
    new_settings: dict[str, str],
    tmp_path: Path,
    migrated_sqlite: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    share(client, LARGE)
    before = pages(client, "GhIjKlMn")
    assert move(new).exit_code == 0
    back = tmp_path / "back"
    back.mkdir()
    (back / "better-share.db").write_bytes(migrated_sqlite.read_bytes())
    monkeypatch.delenv("OLD_DATA_DIR")
    for name, value in new_settings.items():
        monkeypatch.setenv(f"OLD_{name}", value)
    with running_app({"DATA_DIR": str(back), "BASE_URL": new_settings["BASE_URL"]}) as app:
        assert move(app).stdout.startswith("shares moved: 1, documents moved: 1")
        assert pages(app.test_client(), "GhIjKlMn") == before


def test_a_move_that_broke_off_goes_on(
    client: FlaskClient,
    new: Flask,
    settings: dict[str, str],
    new_settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("share-1", "share-2", "share-3")
    for share_id in names:
        share(client, SMALL, share_id)
    settle(settings)
    put, written = S3Store.put, []

    def fail_at_the_second(self: S3Store, key: str, data: bytes, *, encoding: str | None) -> str:
        if written:
            raise StorageError("the bucket is full")
        written.append(key)
        return put(self, key, data, encoding=encoding)

    with monkeypatch.context() as broken:
        broken.setattr(S3Store, "put", fail_at_the_second)
        failed = move(new)
    assert failed.exit_code == 1
    assert "the bucket is full" in failed.stderr
    assert move(new).stdout.startswith("shares moved: 3, documents moved: 2")
    assert move(new).stdout == "shares moved: 0, documents moved: 0 (0 B), members moved: 0\n"
    assert len(stored_keys(new_settings)) == 3
    assert {new.test_client().get(f"/share/{share_id}").status_code for share_id in names} == {200}


def test_a_document_that_arrived_short_is_named_and_moved_again(
    client: FlaskClient, new: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SMALL)
    put = S3Store.put
    with monkeypatch.context() as broken:
        broken.setattr(
            S3Store, "put", lambda self, key, data, encoding: put(self, key, data[:9], encoding=None)
        )
        failed = move(new)
    assert failed.exit_code == 1
    assert "GhIjKlMn" in failed.stderr
    assert move(new).stdout.startswith("shares moved: 0, documents moved: 1")
    assert new.test_client().get("/api/share/GhIjKlMn").data == SMALL


def test_a_document_that_the_old_store_cuts_short_is_not_moved(
    client: FlaskClient, new: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SMALL)
    found = DiskStore.open
    monkeypatch.setattr(DiskStore, "open", lambda *args: replace(found(*args), size=len(SMALL) + 1))
    failed = move(new)
    assert failed.exit_code == 1
    assert f"ended after {len(SMALL)}" in failed.stderr
    assert new.test_client().get("/api/share/GhIjKlMn").status_code == 404


def test_what_happened_at_the_old_place_meanwhile_is_moved_by_another_run(
    app: Flask, client: FlaskClient, new: Flask, new_settings: dict[str, str]
) -> None:
    secrets = {
        share_id: share(client, SMALL, share_id)["secret"] for share_id in ("grown-share", "gone-share")
    }
    assert move(new).exit_code == 0
    upload(client, renew(client, "grown-share", secrets["grown-share"], size=len(LARGE)).get_json(), LARGE)
    delete(client, "gone-share", secrets["gone-share"])
    share(client, SMALL, "added-share")
    assert move(new).exit_code == 0
    there = new.test_client()
    assert there.get("/api/share/added-share").data == SMALL
    assert there.get("/api/share/gone-share").get_json()["code"] == "not_found"
    assert there.get("/api/share/grown-share").data == LARGE
    assert "sessions/gone-share.json" not in stored_keys(new_settings)


def test_what_happened_at_the_new_place_meanwhile_is_kept(
    client: FlaskClient, new: Flask, settings: dict[str, str], new_settings: dict[str, str]
) -> None:
    secrets = {
        share_id: share(client, SMALL, share_id)["secret"] for share_id in ("gone-share", "grown-share")
    }
    settle(settings)
    assert move(new).exit_code == 0
    there = new.test_client()
    assert delete(there, "gone-share", secrets["gone-share"]).status_code == 200
    s3_client(new_settings).put_object(Bucket="shares", Key="sessions/grown-share.json", Body=LARGE)
    assert move(new).stdout == "shares moved: 0, documents moved: 0 (0 B), members moved: 0\n"
    assert there.get("/share/gone-share").status_code == 404
    assert there.get("/api/share/grown-share").data == LARGE


@pytest.mark.parametrize(
    ("old", "sentence"),
    [
        ({}, "Set OLD_DATA_DIR"),
        ({"OLD_DATA_DIR": "/nowhere"}, "which is no folder"),
        ({"OLD_DATABASE_URL": "postgresql://h/d", "OLD_S3_BUCKET": "b"}, "S3_ENDPOINT is not"),
        ({"OLD_DATA_DIR": "{here}"}, "name the same place"),
        ({"OLD_DATA_DIR": "{empty}"}, "run 'flask db upgrade'"),
    ],
)
def test_an_old_place_that_cannot_be_used_is_refused_with_a_sentence(
    app: Flask,
    settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: dict[str, str],
    sentence: str,
) -> None:
    (tmp_path / "empty").mkdir()
    for name, value in old.items():
        monkeypatch.setenv(name, value.format(here=settings["DATA_DIR"], empty=tmp_path / "empty"))
    refused = move(app)
    assert refused.exit_code in (1, 2)
    assert sentence in refused.stderr
