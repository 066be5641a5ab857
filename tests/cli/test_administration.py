"""`flask shares`: what operators see and remove, on both databases."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from app.db.extensions import db
from app.db.models import Share
from app.services.container import Services, services
from app.services.shares.cleanup import Cleanup
from app.services.shares.expiry import Expiry
from app.storage import DiskStore, StorageError
from tests.conftest import running_app
from tests.support.client import create, delete, renew, share, upload
from tests.support.patience import patience
from tests.support.recorded import document_bytes

SMALL, LARGE = document_bytes("single-message"), document_bytes("rate-limit-feature")
DAY = timedelta(days=1)
Run = Callable[..., Result]


@pytest.fixture
def app(unlimited_app: Flask) -> Flask:
    return unlimited_app


@pytest.fixture
def run(app: Flask) -> Run:
    return lambda *words: app.test_cli_runner().invoke(args=["shares", *words])


def ids(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [entry["shareId"] for entry in json.loads(result.stdout)]


def removed(result: Result) -> dict[str, list[str]]:
    assert result.exit_code == 0, result.output
    found: dict[str, list[str]] = json.loads(result.stdout)["removed"]
    return {kind: names for kind, names in found.items() if names}


def age(app: Flask, share_id: str, by: timedelta) -> None:
    """Makes a share, or its tombstone, and its document that much older."""
    with app.app_context():
        found = db.session.get_one(Share, share_id)
        for name in ("created_at", "last_link_at", "expires_at", "deleted_at"):
            if known := getattr(found, name):
                setattr(found, name, known - by)
        db.session.commit()
    path = document_path(app, share_id)
    if path.exists():
        then = path.stat().st_mtime - by.total_seconds()
        os.utime(path, (then, then))


def document_path(app: Flask, share_id: str) -> Path:
    return Path(app.config["DATA_DIR"], "documents", "sessions", f"{share_id}.json")


def stray(app: Flask, name: str, by: timedelta) -> Path:
    """A file among the documents that belongs to no share."""
    path = Path(app.config["DATA_DIR"], "documents", "sessions", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SMALL)
    then = time.time() - by.total_seconds()
    os.utime(path, (then, then))
    return path


def is_there(app: Flask, share_id: str) -> bool:
    with app.app_context():
        return db.session.get(Share, share_id) is not None


def test_shares_are_listed_oldest_first_with_what_they_take(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, LARGE, "newer")
    share(client, SMALL, "older", expiresIn=86_400 * 30)
    create(client, "oldest")
    age(app, "older", DAY)
    age(app, "oldest", 2 * DAY)
    header, *lines = run("list").stdout.splitlines()
    assert header.split()[0] == "SHARE"
    assert [line.split()[0] for line in lines] == ["oldest", "older", "newer"]
    [_, older, _] = json.loads(run("list", "--json").stdout)
    assert older["url"] == "https://share.example.com/share/older"
    assert older["size"] == len(SMALL)
    assert older["expiresAt"] - older["createdAt"] == 86_400 * 30 * 1000
    assert older["createdAt"] / 1000 == pytest.approx(time.time() - 86_400, abs=60)
    assert older["expired"] is False


def test_a_list_can_be_narrowed(app: Flask, client: FlaskClient, run: Run) -> None:
    share(client, LARGE, "large")
    share(client, SMALL, "small", expiresIn=3600)
    create(client, "empty")
    age(app, "small", DAY)
    delete(client, "gone", create(client, "gone").get_json()["secret"])
    assert ids(run("list", "--json")) == ["small", "large", "empty"]
    assert ids(run("list", "--json", "--older-than", "23h")) == ["small"]
    assert ids(run("list", "--json", "--newer-than", "23h")) == ["large", "empty"]
    assert ids(run("list", "--json", "--larger-than", f"{len(SMALL)}")) == ["large"]
    assert ids(run("list", "--json", "--larger-than", "10MB")) == []
    assert ids(run("list", "--json", "--never-uploaded")) == ["empty"]
    assert ids(run("list", "--json", "--expired")) == ["small"]
    assert ids(run("list", "--json", "--newer-than", "1h", "--never-uploaded")) == ["empty"]


def test_a_list_tells_whose_token_made_a_share(settings: dict[str, str]) -> None:
    token = "alices-token-for-tests"
    with running_app({**settings, "SHARE_CREATE_TOKEN": f"alice:{token},bob:bobs-token-for-tests"}) as app:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        create(client)
        run = app.test_cli_runner().invoke
        assert ids(run(args=["shares", "list", "--json", "--created-by", "alice"])) == ["GhIjKlMn"]
        assert ids(run(args=["shares", "list", "--json", "--created-by", "bob"])) == []


@pytest.mark.parametrize(
    "words",
    [["list", "--older-than", "30"], ["list", "--larger-than", "ten"], ["show", "not/an id"], ["delete"]],
)
def test_a_wrong_usage_ends_with_status_2(run: Run, words: list[str]) -> None:
    assert run(*words).exit_code == 2


def test_one_share_is_shown_with_the_title_of_its_session(client: FlaskClient, run: Run) -> None:
    share(client, LARGE)
    facts = json.loads(run("show", "https://share.example.com/share/GhIjKlMn", "--json").stdout)
    assert facts["title"] == "Add per-client rate limiting to the order API"
    assert facts["size"] == len(LARGE)
    assert "Add per-client rate limiting" in run("show", "GhIjKlMn").stdout


def test_a_share_whose_document_cannot_be_read_is_shown_all_the_same(client: FlaskClient, run: Run) -> None:
    share(client, b"no session")
    assert "title" not in json.loads(run("show", "GhIjKlMn", "--json").stdout)
    assert "unreadable" in run("show", "GhIjKlMn").stdout


def test_what_is_not_there_cannot_be_shown(run: Run) -> None:
    result = run("show", "unknown")
    assert result.exit_code == 1
    assert "no share with this id" in result.stderr


@pytest.mark.parametrize(
    "named",
    [
        "GhIjKlMn",
        "https://share.example.com/share/GhIjKlMn",
        "https://share.example.com/share/GhIjKlMn/m/msg_1#prt_2",
        "https://share.example.com/share/GhIjKlMn.md",
        "http://localhost:8000/api/share/GhIjKlMn?x=y",
        "share.example.com/share/GhIjKlMn/",
    ],
)
def test_an_operator_deletes_a_share_by_its_id_or_any_link(
    app: Flask, client: FlaskClient, run: Run, named: str
) -> None:
    secret = share(client, SMALL)["secret"]
    client.get("/share/GhIjKlMn")
    assert run("delete", named).stdout == "deleted GhIjKlMn\n"
    assert client.get("/share/GhIjKlMn").status_code == 404
    assert renew(client, "GhIjKlMn", secret).status_code == 404
    assert create(client).status_code == 409
    assert not document_path(app, "GhIjKlMn").exists()
    with app.app_context():
        assert services().documents.cache_keys() == set()
        assert db.session.get_one(Share, "GhIjKlMn").session_id == ""


def test_several_are_deleted_and_those_that_are_not_there_named(client: FlaskClient, run: Run) -> None:
    for share_id in ("one", "two"):
        create(client, share_id)
    result = run("delete", "one", "unknown", "two")
    assert result.exit_code == 1
    assert result.stdout == "deleted one\ndeleted two\n"
    assert result.stderr == "There is no share unknown.\n"


@pytest.mark.parametrize("share_id", ["-hIjKlMn", "--IjKlMn", "-"])
def test_an_id_that_begins_with_a_dash_is_an_id(client: FlaskClient, run: Run, share_id: str) -> None:
    share(client, SMALL, share_id)
    create(client, "other")
    for words in ((share_id, "--json"), ("--json", share_id)):
        assert json.loads(run("show", *words).stdout)["shareId"] == share_id
    would = f"would delete other\nwould delete {share_id}\n"
    assert run("delete", "other", share_id, "--dry-run").stdout == would
    assert client.get(f"/share/{share_id}").status_code == 200
    assert run("delete", share_id, "other").stdout == f"deleted {share_id}\ndeleted other\n"
    assert client.get(f"/share/{share_id}").status_code == 404
    assert run("delete", share_id).exit_code == 0


@pytest.mark.parametrize("option", ["--dryrun", "-n", "-dry-run"])
def test_a_misspelled_option_deletes_nothing(client: FlaskClient, run: Run, option: str) -> None:
    share(client, SMALL)
    for words in ((option, "GhIjKlMn"), ("GhIjKlMn", option)):
        refused = run("delete", *words)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert f"neither an option nor a share {option}." in refused.stderr
    assert client.get("/share/GhIjKlMn").status_code == 200


def test_a_dry_run_deletes_nothing(app: Flask, client: FlaskClient, run: Run) -> None:
    share(client, SMALL, expiresIn=3600)
    assert run("delete", "--dry-run", "GhIjKlMn").stdout == "would delete GhIjKlMn\n"
    assert run("delete", "--dry-run", "unknown").exit_code == 1
    assert client.get("/share/GhIjKlMn").status_code == 200
    age(app, "GhIjKlMn", 2 * DAY)
    stray(app, "stray.json", 2 * DAY)
    assert removed(run("purge", "--dry-run", "--json")) == {"expired": ["GhIjKlMn"]}
    assert removed(run("sweep", "--dry-run", "--json")) == {"strays": ["sessions/stray.json"]}
    assert client.get("/share/GhIjKlMn").status_code == 410
    assert document_path(app, "GhIjKlMn").exists()
    assert document_path(app, "stray").exists()


def test_a_delete_that_the_store_failed_is_finished_by_another(
    app: Flask, client: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SMALL)
    with monkeypatch.context() as broken:
        broken.setattr(DiskStore, "delete", refuse)
        failed = run("delete", "GhIjKlMn")
    assert failed.exit_code == 1
    assert failed.stderr == "Error: The session storage failed: out of order; try again.\n"
    assert client.get("/share/GhIjKlMn").status_code == 404
    assert run("delete", "GhIjKlMn").exit_code == 0
    assert not document_path(app, "GhIjKlMn").exists()


def refuse(*_: Any) -> None:
    raise StorageError("out of order")


def test_purging_removes_what_has_expired_and_nothing_else(app: Flask, client: FlaskClient, run: Run) -> None:
    secret = share(client, SMALL, "expired", expiresIn=3600)["secret"]
    share(client, SMALL, "lasting", expiresIn=3600 * 48)
    share(client, SMALL, "forever")
    for share_id in ("expired", "lasting", "forever"):
        age(app, share_id, DAY)
    assert removed(run("purge", "--json")) == {"expired": ["expired"]}
    assert client.get("/share/expired").status_code == 404
    assert delete(client, "expired", secret).status_code == 404
    assert not document_path(app, "expired").exists()
    assert client.get("/share/lasting").status_code == 200
    assert client.get("/share/forever").status_code == 200
    assert removed(run("purge", "--json")) == {}


def test_purging_follows_the_rule_of_the_operator(settings: dict[str, str]) -> None:
    with running_app({**settings, "SHARE_MAX_AGE": "2d"}) as app:
        for share_id, days in (("young", 1), ("old", 2)):
            share(app.test_client(), SMALL, share_id)
            age(app, share_id, days * DAY)
        purged = app.test_cli_runner().invoke(args=["shares", "purge", "--json"])
        assert removed(purged) == {"expired": ["old"]}


def test_sweeping_ends_shares_that_got_no_document_within_a_day(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, SMALL, "used")
    for share_id in ("unused", "waiting"):
        create(client, share_id)
    for share_id, age_of_it in (("used", 2 * DAY), ("unused", 2 * DAY), ("waiting", DAY / 2)):
        age(app, share_id, age_of_it)
    assert removed(run("sweep", "--json")) == {"empty": ["unused"]}
    assert client.get("/api/share/unused").get_json()["code"] == "not_found"
    assert client.get("/api/share/waiting").get_json()["code"] == "not_uploaded"
    assert client.get("/share/used").status_code == 200


def test_sweeping_leaves_a_share_that_has_just_asked_for_a_new_link(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, SMALL, "used")
    secret = create(client).get_json()["secret"]
    age(app, "GhIjKlMn", 2 * DAY)
    renew(client, "GhIjKlMn", secret)
    assert removed(run("sweep", "--json")) == {}


def test_sweeping_removes_documents_and_broken_uploads_of_no_share(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, SMALL, "used")
    age(app, "used", 2 * DAY)
    gone = [stray(app, name, 2 * DAY) for name in ("stray.json", ".upload-abc")]
    kept = [stray(app, name, DAY / 2) for name in ("young.json", ".upload-def")]
    kept.append(stray(app, "somebody's notes.txt", 2 * DAY))
    swept = removed(run("sweep", "--json"))["strays"]
    assert sorted(swept) == ["sessions/.upload-abc", "sessions/stray.json"]
    assert [path.exists() for path in gone] == [False, False]
    assert [path.exists() for path in kept] == [True, True, True]
    assert not is_there(app, "stray")
    assert client.get("/share/used").status_code == 200


def test_sweeping_drops_a_tombstone_with_what_a_late_upload_left(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    for share_id in ("old", "recent"):
        delete(client, share_id, share(client, SMALL, share_id)["secret"])
        stray(app, f"{share_id}.json", timedelta(minutes=1))
    age(app, "old", timedelta(hours=2))
    assert removed(run("sweep", "--json")) == {"tombstones": ["old"]}
    assert not is_there(app, "old")
    assert not document_path(app, "old").exists()
    assert is_there(app, "recent")


def test_an_id_is_not_given_away_while_a_sweep_still_works_on_it(
    app: Flask, client: FlaskClient, run: Run, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    share(client, SMALL, "used")
    delete(client, "tombstone", create(client, "tombstone").get_json()["secret"])
    age(app, "tombstone", 2 * DAY)
    stray(app, "stray.json", 2 * DAY)
    answers = {}

    def create_meanwhile(self: DiskStore, key: str) -> None:
        # As another request: within the command it would share its context.
        share_id = key.removeprefix("sessions/").removesuffix(".json")
        with running_app(settings) as other:
            answers[share_id] = create(other.test_client(), share_id).status_code

    monkeypatch.setattr(DiskStore, "delete", create_meanwhile)
    assert run("sweep").exit_code == 0
    assert answers == {"tombstone": 409, "stray": 409}
    assert create(client, "tombstone").status_code == 201
    assert create(client, "stray").status_code == 201


def test_a_tombstone_stays_when_the_store_fails(
    app: Flask, client: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(client, "tombstone", create(client, "tombstone").get_json()["secret"])
    age(app, "tombstone", 2 * DAY)
    monkeypatch.setattr(DiskStore, "delete", refuse)
    assert run("sweep").exit_code == 1
    assert is_there(app, "tombstone")


def test_a_sweep_refuses_a_store_that_knows_none_of_the_shares(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    create(client, "unused")
    age(app, "unused", 2 * DAY)
    left = stray(app, "stray.json", 2 * DAY)
    refused = run("sweep")
    assert refused.exit_code == 1
    assert "may be a wrong one" in refused.stderr
    assert left.exists()
    assert is_there(app, "unused")
    assert run("sweep", "--force").exit_code == 0
    assert not left.exists()
    assert client.get("/share/unused").status_code == 404


def test_numbers_tell_what_a_server_holds(app: Flask, client: FlaskClient, run: Run) -> None:
    share(client, LARGE, "large")
    share(client, SMALL, "small", expiresIn=3600)
    create(client, "empty")
    age(app, "small", 3 * DAY)
    delete(client, "gone", create(client, "gone").get_json()["secret"])
    assert json.loads(run("stats", "--json").stdout) == {
        "shares": 3,
        "expired": 1,
        "neverUploaded": 1,
        "deleted": 1,
        "bytes": len(LARGE) + len(SMALL),
        "largestBytes": len(LARGE),
        "createdInLastDay": 2,
        "createdInLastWeek": 3,
        "createdBy": {},
    }
    assert "never uploaded:" in run("stats").stdout


def test_a_database_out_of_reach_is_said_in_a_sentence(settings: dict[str, str]) -> None:
    with running_app({**settings, "DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/db"}) as app:
        failed = app.test_cli_runner().invoke(args=["shares", "list"])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: The database failed: ")
    assert "hunter2" not in failed.stderr


@pytest.mark.parametrize("step", ["purge", "sweep_empty", "sweep_tombstone", "sweep_object"])
def test_of_two_that_clear_the_same_only_one_does(
    app: Flask, client: FlaskClient, settings: dict[str, str], step: str
) -> None:
    names = [f"share{number}" for number in range(20)]
    for name in names:
        if step == "sweep_object":
            stray(app, f"{name}.json", 2 * DAY)
            continue
        secret = create(client, name, expiresIn=3600).get_json()["secret"]
        if step == "sweep_tombstone":
            delete(client, name, secret)
        age(app, name, 2 * DAY)
    objects = {info.key: info for info in services_of(app).store.list()}
    together = threading.Barrier(2)

    def clear(own: Flask) -> list[str]:
        with own.app_context():
            cleanup = Cleanup(services().store, Expiry(), services().connection)
            cleared = []
            for name in names:
                together.wait(patience(30))
                what = objects[f"sessions/{name}.json"] if step == "sweep_object" else name
                if getattr(cleanup, step)(what):
                    cleared.append(name)
            return cleared

    # An app each, as two processes have.
    with running_app(settings) as one, running_app(settings) as other, ThreadPoolExecutor(2) as pool:
        first, second = pool.map(clear, [one, other])
    assert sorted(first + second) == sorted(names)
    assert list(services_of(app).store.list()) == []


def services_of(app: Flask) -> Services:
    with app.app_context():
        return services()


def test_an_upload_that_ends_after_a_purge_leaves_nothing(
    app: Flask, client: FlaskClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = create(client, size=len(SMALL), expiresIn=3600).get_json()
    copied = []

    def copy_slowly(body, write, length) -> None:
        write(body.read(length))
        copied.append(length)
        age(app, "GhIjKlMn", timedelta(hours=1))
        assert removed(run("purge", "--json")) == {"expired": ["GhIjKlMn"]}

    monkeypatch.setattr("app.storage.disk._copy", copy_slowly)
    assert upload(client, answer, SMALL).get_json()["code"] == "share_deleted"
    assert copied == [len(SMALL)]
    assert not document_path(app, "GhIjKlMn").exists()


def test_times_of_tombstones_are_in_utc(app: Flask, client: FlaskClient, run: Run) -> None:
    create(client)
    run("delete", "GhIjKlMn")
    with app.app_context():
        deleted_at = db.session.get_one(Share, "GhIjKlMn").deleted_at
    assert deleted_at is not None
    assert abs(deleted_at - datetime.now(UTC)) < timedelta(minutes=1)
