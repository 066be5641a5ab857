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
from tests.cli.support import (
    DAY,
    SMALL,
    Run,
    age,
    is_there,
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
    share(client, SMALL, "used-share")
    for share_id in ("unused", "waiting"):
        create(client, share_id)
    for share_id, age_of_it in (("used-share", 2 * DAY), ("unused", 2 * DAY), ("waiting", DAY / 2)):
        age(app, share_id, age_of_it)
    assert removed(run("sweep", "--json")) == {"empty": ["unused"]}
    assert client.get("/api/share/unused").get_json()["code"] == "not_found"
    assert client.get("/api/share/waiting").get_json()["code"] == "not_uploaded"
    assert client.get("/share/used-share").status_code == 200


def test_sweeping_leaves_a_share_that_has_just_asked_for_a_new_link(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, SMALL, "used-share")
    secret = create(client).get_json()["secret"]
    age(app, "GhIjKlMn", 2 * DAY)
    renew(client, "GhIjKlMn", secret)
    assert removed(run("sweep", "--json")) == {}


def test_sweeping_removes_documents_and_broken_uploads_of_no_share(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share(client, SMALL, "used-share")
    age(app, "used-share", 2 * DAY)
    gone = [stray(app, name, 2 * DAY) for name in ("stray.json", ".upload-abc")]
    kept = [stray(app, name, DAY / 2) for name in ("young.json", ".upload-def")]
    kept.append(stray(app, "somebody's notes.txt", 2 * DAY))
    swept = removed(run("sweep", "--json"))["strays"]
    assert sorted(swept) == ["sessions/.upload-abc", "sessions/stray.json"]
    assert [path.exists() for path in gone] == [False, False]
    assert [path.exists() for path in kept] == [True, True, True]
    assert client.get("/share/used-share").status_code == 200


def test_sweeping_removes_what_a_late_upload_left_of_a_deleted_share_and_keeps_its_id(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    delete(client, "deleted", share(client, SMALL, "deleted")["secret"])
    age(app, "deleted", 30 * DAY)
    left = [stray(app, name, timedelta(minutes=1)) for name in ("deleted.json", "deleted/.upload-abc")]
    assert sorted(removed(run("sweep", "--force", "--json"))["strays"]) == [
        "sessions/deleted.json",
        "sessions/deleted/.upload-abc",
    ]
    assert [path.exists() for path in left] == [False, False]
    assert is_there(app, "deleted")
    assert create(client, "deleted").status_code == 409


def test_the_id_of_a_document_without_a_share_is_given_to_nobody(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    """A restored database has forgotten the share, and its links may be anywhere."""
    share(client, SMALL, "used-share")
    stray(app, "astray.json", 2 * DAY)
    assert removed(run("sweep", "--json")) == {"strays": ["sessions/astray.json"]}
    assert create(client, "astray").status_code == 409


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


@pytest.mark.parametrize("step", ["purge", "sweep_empty", "sweep_object"])
def test_of_two_that_clear_the_same_only_one_does(
    app: Flask, client: FlaskClient, settings: dict[str, str], step: str
) -> None:
    names = [f"share{number}" for number in range(20)]
    for name in names:
        if step == "sweep_object":
            stray(app, f"{name}.json", 2 * DAY)
            continue
        create(client, name, expiresIn=3600)
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
    if step == "sweep_object":
        # Both may find an object that is there, and delete it.
        assert set(first + second) == set(names)
    else:
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
