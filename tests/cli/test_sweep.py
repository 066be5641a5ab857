"""`flask shares sweep`."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.db.extensions import db
from app.db.models import Share
from app.services.container import Services, services
from app.services.shares.cleanup import Cleanup
from app.services.shares.expiry import Expiry
from app.storage import DiskStore
from tests.cli.support import (
    DAY,
    SMALL,
    Run,
    age,
    document_path,
    is_there,
    refuse,
    removed,
    stray,
)
from tests.conftest import running_app
from tests.support.client import create, delete, renew, share
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.patience import patience

pytestmark = [on_both_databases, without_rate_limits]


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


def test_times_of_tombstones_are_in_utc(app: Flask, client: FlaskClient, run: Run) -> None:
    create(client)
    run("delete", "GhIjKlMn")
    with app.app_context():
        deleted_at = db.session.get_one(Share, "GhIjKlMn").deleted_at
    assert deleted_at is not None
    assert abs(deleted_at - datetime.now(UTC)) < timedelta(minutes=1)
