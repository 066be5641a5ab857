"""`flask shares backup` and `flask shares restore`."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.storage import ObjectStore, StorageError, document_key
from tests.cli.support import LARGE, SMALL
from tests.conftest import running_app
from tests.support import client as uploads
from tests.support import sync_batches
from tests.support.marks import without_rate_limits
from tests.support.paths import ROOT
from tests.support.recorded import document
from tests.support.servers.gunicorn import PROGRAMS, environment
from tests.support.writer import Writer

pytestmark = without_rate_limits
PAGES = ["", "/changes", "/prompts", ".md", ".json"]
T = TypeVar("T")
Place = Callable[[str], dict[str, str]]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The settings of an installation with nothing in it, by the names of a database and a store."""

    def settings(kind: str) -> dict[str, str]:
        folder = tmp_path / f"installation-{len(list(tmp_path.glob('installation-*')))}"
        found = {
            "DATA_DIR": str(folder),
            "BASE_URL": "https://share.example.com",
            "RATELIMIT_ENABLED": "false",
        }
        if "postgresql" in kind:
            found["DATABASE_URL"] = request.getfixturevalue("postgres_database")
        if "s3" in kind:
            found |= request.getfixturevalue("empty_bucket")
        return found

    return settings


@contextmanager
def started(settings: dict[str, str]) -> Iterator[Flask]:
    """The app of an installation, with its tables."""
    with running_app(settings) as app:
        assert flask(app, "db", "upgrade", "--directory", str(ROOT / "migrations")).exit_code == 0
        yield app


def flask(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=words)


def back_up(app: Flask, folder: Path, *options: str) -> str:
    done = flask(app, "shares", "backup", str(folder), *options)
    assert done.exit_code == 0, done.output
    return done.stdout


def restore(app: Flask, folder: Path, *options: str) -> str:
    done = flask(app, "shares", "restore", str(folder), *options)
    assert done.exit_code == 0, done.output
    return done.stdout


def share(client: FlaskClient, content: bytes, share_id: str, **body: object) -> str:
    """Shares a document, whichever store it goes to, and returns its secret."""
    secret: str = uploads.create(client, share_id, **body).get_json()["secret"]
    store(client, share_id, content)
    return secret


def store(client: FlaskClient, share_id: str, content: bytes) -> None:
    with client.application.app_context():
        services().store.put(document_key(share_id), content, encoding=body_encoding(content))


def body_encoding(content: bytes) -> str | None:
    return "gzip" if content.startswith(b"\x1f\x8b") else None


def pages(client: FlaskClient, share_id: str) -> dict[str, str]:
    """What readers see; only the version that the store gave the document may differ."""
    found = {page: client.get(f"/share/{share_id}{page}") for page in PAGES}
    assert {answer.status_code for answer in found.values()} == {200}
    return {page: re.sub(r'data-etag="[^"]*"', "", answer.text) for page, answer in found.items()}


def snapshots(folder: Path) -> list[str]:
    return sorted(path.name.removesuffix(".jsonl.gz") for path in (folder / "snapshots").iterdir())


def documents(folder: Path) -> list[Path]:
    return [path for path in folder.glob("documents/*/*") if path.is_file()]


def lose_documents(app: Flask) -> None:
    with app.app_context():
        for info in list(services().store.list()):
            services().store.delete(info.key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sqlite and a folder", "sqlite and a folder"),
        ("sqlite and a folder", "postgresql and s3"),
        ("postgresql and s3", "sqlite and a folder"),
    ],
)
def test_an_installation_with_nothing_in_it_gets_everything_back(
    place: Place, tmp_path: Path, old: str, new: str
) -> None:
    folder = tmp_path / "backup"
    with started(place(old)) as app:
        client = app.test_client()
        secret = share(client, gzip.compress(LARGE), "packed", contentEncoding="gzip")
        share(client, SMALL, "plain-share", expiresIn=86_400)
        uploads.create(client, "empty-share")
        uploads.delete(client, "deleted", share(client, SMALL, "deleted"))
        native = sync_batches.shared(client, document("rate-limit-feature"))
        sync_batches.checkpoint(app, native)
        for item in sync_batches.message_items(document("single-message")["messages"][0]):
            assert sync_batches.sync(client, native, [item]).status_code == 200
        assert sync_batches.rows(app)
        ids = ("packed", "plain-share", native["id"])
        before = {share_id: pages(client, share_id) for share_id in ids}
        shown = {share_id: flask(app, "shares", "show", share_id, "--json").stdout for share_id in ids}
        assert "5 shares, 3 documents (3 new" in back_up(app, folder)
    with running_app(place(new)) as app:
        assert "5 shares, 3 documents" in restore(app, folder)
        client = app.test_client()
        assert {share_id: pages(client, share_id) for share_id in ids} == before
        for share_id in ids:
            again = flask(app, "shares", "show", share_id, "--json").stdout
            without = r'"(uploadedAt|size)": \d+'
            assert re.sub(without, "", again) == re.sub(without, "", shown[share_id])
        assert client.get("/api/share/empty-share").get_json()["code"] == "not_uploaded"
        assert uploads.create(client, "deleted").status_code == 409
        assert uploads.renew(client, "packed", secret).status_code == 200
        assert sync_batches.sync(client, native, []).status_code in (200, 400)
        assert flask(app, "shares", "check").exit_code == 0


@pytest.mark.parametrize("kind", ["sqlite and a folder", "postgresql and s3"])
def test_documents_that_have_not_changed_are_not_fetched_again(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "backup"
    with started(place(kind)) as app:
        client = app.test_client()
        share(client, SMALL, "unchanged")
        share(client, SMALL + b" ", "changed")
        back_up(app, folder)
        store(client, "changed", LARGE)
        fetched = record_reads(app, monkeypatch)
        assert "2 shares, 2 documents (1 new" in back_up(app, folder)
        assert fetched == [document_key("changed")]
        [damaged] = [path for path in documents(folder) if path.read_bytes() == SMALL]
        damaged.write_bytes(SMALL[:-1])
        back_up(app, folder)
        assert damaged.read_bytes() == SMALL


def record_reads(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with app.app_context():
        kind = type(services().store)
    found, keys = kind.open, []

    def open_and_note(self: ObjectStore, key: str, etag: str | None = None) -> object:
        keys.append(key)
        return found(self, key, etag)

    monkeypatch.setattr(kind, "open", open_and_note)
    return keys


@pytest.mark.parametrize("kind", ["sqlite and a folder", "postgresql and s3"])
def test_a_bucket_that_was_emptied_is_reported_and_empties_no_backup(
    place: Place, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "backup"
    with started(place(kind)) as app:
        client = app.test_client()
        share(client, LARGE, "uploaded")
        native = sync_batches.shared(client, document("rate-limit-feature"))
        sync_batches.checkpoint(app, native)
        before = {share_id: pages(client, share_id) for share_id in ("uploaded", native["id"])}
        back_up(app, folder)
        lose_documents(app)
        for _ in range(2):
            failed = flask(app, "shares", "backup", str(folder), "--keep", "1")
            assert failed.exit_code == 1
            assert "missing in the storage" in failed.stderr
            assert "uploaded" in failed.stderr
            assert native["id"] in failed.stderr
        assert len(snapshots(folder)) == 1
        restore(app, folder)
        assert {share_id: pages(client, share_id) for share_id in before} == before
        assert back_up(app, folder)


def test_what_a_plugin_committed_is_restored_and_can_be_changed(place: Place, tmp_path: Path) -> None:
    with started(place("sqlite")) as app:
        client = app.test_client()
        writer = Writer(client, sync_batches.first(3), "committed")
        writer.snapshot()
        assert writer.change(writer.rename("Renamed")).status_code == 200
        before = writer.stored()
        assert before["session"]["title"] == "Renamed"
        back_up(app, tmp_path / "backup")
    with running_app(place("sqlite")) as app:
        restore(app, tmp_path / "backup")
        writer.client = app.test_client()
        assert writer.stored() == before
        assert writer.change(writer.rename("Restored")).status_code == 200
        assert flask(app, "shares", "check").exit_code == 0


def test_another_database_is_refused_and_replaces_no_backup(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    with started(place("sqlite")) as app:
        share(app.test_client(), SMALL, "first-share")
        back_up(app, folder)
    before = snapshots(folder)
    with started(place("sqlite")) as app:
        share(app.test_client(), SMALL, "other-share")
        refused = flask(app, "shares", "backup", str(folder), "--keep", "1")
    assert (refused.exit_code, snapshots(folder)) == (1, before)
    assert "may be a wrong one" in refused.stderr


def test_what_was_deleted_after_a_backup_stays_deleted(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    with started(place("sqlite")) as app:
        client = app.test_client()
        secret = share(client, LARGE, "deleted")
        share(client, SMALL, "kept-share")
        back_up(app, folder)
        uploads.delete(client, "deleted", secret)
        later = share(client, SMALL + b" ", "made-and-deleted")
        uploads.delete(client, "made-and-deleted", later)
        back_up(app, folder)
    [older, _] = snapshots(folder)
    with running_app(place("sqlite")) as app:
        restore(app, folder, "--at", older)
        client = app.test_client()
        assert client.get("/share/kept-share").status_code == 200
        for share_id in ("deleted", "made-and-deleted"):
            assert client.get(f"/share/{share_id}").status_code == 404
            assert uploads.create(client, share_id).status_code == 409
        with app.app_context():
            assert [info.key for info in services().store.list()] == [document_key("kept-share")]


def test_a_share_that_is_deleted_in_the_database_is_not_brought_back(place: Place, tmp_path: Path) -> None:
    with started(place("sqlite")) as app:
        client = app.test_client()
        secret = share(client, LARGE, "deleted")
        back_up(app, tmp_path / "backup")
        uploads.delete(client, "deleted", secret)
        assert "0 shares, 0 documents" in restore(app, tmp_path / "backup")
        assert client.get("/share/deleted").status_code == 404


def test_what_is_newer_than_the_backup_stays(place: Place, tmp_path: Path) -> None:
    with started(place("sqlite")) as app:
        client = app.test_client()
        share(client, SMALL, "grown-share")
        native = sync_batches.shared(client, sync_batches.first(1))
        sync_batches.checkpoint(app, native)
        back_up(app, tmp_path / "backup")
        store(client, "grown-share", LARGE)
        for item in sync_batches.message_items(sync_batches.SESSION["messages"][1]):
            assert sync_batches.sync(client, native, [item]).status_code == 200
        sync_batches.checkpoint(app, native)
        restore(app, tmp_path / "backup")
        assert client.get("/api/share/grown-share").data == LARGE
        assert len(sync_batches.document_of(client, native)["messages"]) == 2


def test_documents_of_deleted_sessions_leave_with_the_backups_that_had_them(
    place: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    with started(place("sqlite")) as app:
        client = app.test_client()
        secret = share(client, LARGE, "deleted")
        share(client, SMALL, "kept-share")
        back_up(app, folder)
        uploads.delete(client, "deleted", secret)
        # As a process leaves them that is killed.
        drafts = [folder / "snapshots/.draft", documents(folder)[0].with_name(".draft")]
        for draft in drafts:
            draft.write_bytes(LARGE)
        back_up(app, folder, "--keep", "2")
        assert not any(draft.exists() for draft in drafts)
        assert len(documents(folder)) == 2
        assert "backups removed: 1" in back_up(app, folder, "--keep", "2")
    [kept] = documents(folder)
    assert kept.read_bytes() == SMALL
    assert len(snapshots(folder)) == 2


def meanwhile(work: Callable[[], T]) -> T:
    """Runs something as another process would, with a session of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def test_a_share_that_is_deleted_while_the_backup_runs_is_a_tombstone_in_it(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(place("sqlite")) as app:
        client = app.test_client()
        secret = share(client, LARGE, "deleted")
        with app.app_context():
            kind = type(services().store)
        opened = kind.open

        def delete_then_open(self: ObjectStore, key: str, etag: str | None = None) -> object:
            monkeypatch.setattr(kind, "open", opened)
            assert meanwhile(lambda: uploads.delete(client, "deleted", secret)).status_code == 200
            return opened(self, key, etag)

        monkeypatch.setattr(kind, "open", delete_then_open)
        assert "1 shares, 0 documents" in back_up(app, tmp_path / "backup")
    with running_app(place("sqlite")) as app:
        restore(app, tmp_path / "backup")
        assert uploads.create(app.test_client(), "deleted").status_code == 409


def test_a_checkpoint_that_is_replaced_while_the_backup_runs_is_followed(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(place("sqlite")) as app:
        client = app.test_client()
        native = sync_batches.shared(client, sync_batches.first(1))
        sync_batches.checkpoint(app, native)
        with app.app_context():
            kind = type(services().store)
        opened = kind.open

        def add_a_message() -> None:
            for item in sync_batches.message_items(sync_batches.SESSION["messages"][1]):
                assert sync_batches.sync(client, native, [item]).status_code == 200
            sync_batches.checkpoint(app, native)

        def replace_then_open(self: ObjectStore, key: str, etag: str | None = None) -> object:
            monkeypatch.setattr(kind, "open", opened)
            meanwhile(add_a_message)
            self.delete(key)
            return opened(self, key, etag)

        monkeypatch.setattr(kind, "open", replace_then_open)
        back_up(app, tmp_path / "backup")
        before = sync_batches.document_of(client, native)
    with running_app(place("sqlite")) as app:
        restore(app, tmp_path / "backup")
        assert sync_batches.document_of(app.test_client(), native) == before


def test_a_failing_store_leaves_no_backup(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backup"
    with started(place("sqlite")) as app:
        share(app.test_client(), SMALL, "first-share")
        with app.app_context():
            kind = type(services().store)

        def refuse(*_: object) -> None:
            raise StorageError("out of order")

        monkeypatch.setattr(kind, "open", refuse)
        failed = flask(app, "shares", "backup", str(folder))
    assert (failed.exit_code, "out of order" in failed.stderr) == (1, True)
    assert snapshots(folder) == []


@pytest.mark.parametrize("damage", ["cut short", "changed", "nonsense"])
def test_a_damaged_backup_is_named(place: Place, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "backup"
    with started(place("sqlite")) as app:
        share(app.test_client(), SMALL, "first-share")
        back_up(app, folder)
        [path] = (folder / "snapshots").iterdir()
        whole = path.read_bytes()
        cut = {"cut short": whole[:-20], "changed": whole[:-6] + b"XX" + whole[-4:], "nonsense": b"{}"}
        path.write_bytes(cut[damage])
        failed = flask(app, "shares", "restore", str(folder))
    assert failed.exit_code == 1
    assert re.search(r"The backup \d{8}T\S+Z is damaged", failed.stderr)


def test_a_document_that_is_damaged_in_the_backup_is_named_and_the_others_are_restored(
    place: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    with started(place("sqlite")) as app:
        share(app.test_client(), SMALL, "damaged-share")
        share(app.test_client(), LARGE, "whole-share")
        back_up(app, folder)
    [damaged] = [path for path in documents(folder) if path.read_bytes() == SMALL]
    damaged.write_bytes(SMALL[:-1])
    with running_app(place("sqlite")) as app:
        failed = flask(app, "shares", "restore", str(folder))
        assert (failed.exit_code, "damaged-share" in failed.stderr) == (1, True)
        assert app.test_client().get("/api/share/whole-share").data == LARGE
        assert app.test_client().get("/share/damaged-share").status_code == 202


@pytest.mark.parametrize("options", [[], ["--at", "20200101T000000.000000Z"]])
def test_a_backup_that_is_not_there_is_named(app: Flask, tmp_path: Path, options: list[str]) -> None:
    failed = flask(app, "shares", "restore", str(tmp_path / "nowhere"), *options)
    assert failed.exit_code == 1
    assert (
        failed.stderr
        == f"Error: There is no backup{' ' if options else ''}{' '.join(options[1:])} in "
        + (f"'{tmp_path / 'nowhere'}'.\n")
    )


def test_a_column_of_a_later_release_is_named(app: Flask, tmp_path: Path) -> None:
    share(app.test_client(), SMALL, "first-share")
    back_up(app, tmp_path)
    [path] = (tmp_path / "snapshots").iterdir()
    lines = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(lines.replace(b'"title":', b'"colour":1,"title":')))
    with app.app_context():
        db.session.execute(delete(Share))
        db.session.commit()
    failed = flask(app, "shares", "restore", str(tmp_path))
    assert "A later release made this backup: the column 'colour'" in failed.stderr


def test_a_column_that_a_backup_lacks_has_its_default(app: Flask, tmp_path: Path) -> None:
    """A later release adds columns only."""
    share(app.test_client(), SMALL, "first-share")
    back_up(app, tmp_path)
    [path] = (tmp_path / "snapshots").iterdir()
    lines = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(re.sub(rb'"weight":\d+,', b"", lines)))
    with app.app_context():
        db.session.execute(delete(Share))
        db.session.commit()
    restore(app, tmp_path)
    assert app.test_client().get("/share/first-share").status_code == 200


@pytest.mark.server
def test_only_its_owner_reads_a_backup_and_no_two_write_at_once(
    settings: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    folder.mkdir(mode=0o755)
    with running_app(settings) as app:
        share(app.test_client(), SMALL, "first-share")
        with app.app_context():
            db.session.execute(update(Share).values(title="Private"))
            db.session.commit()
    command = [str(PROGRAMS / "flask"), "shares", "backup", str(folder)]
    ran = subprocess.run(
        ["/bin/sh", "-c", 'umask 022; exec "$@"', "sh", *command],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    for path in (folder, *folder.rglob("*")):
        assert oct(path.stat().st_mode & 0o777) == ("0o700" if path.is_dir() else "0o600")
    held = subprocess.run(
        ["flock", str(folder / ".lock"), *command],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert held.returncode == 1
    assert "Another backup into" in held.stderr
