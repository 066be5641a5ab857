"""`flask shares delete` and `purge`."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.storage import DiskStore
from tests.cli.support import (
    DAY,
    SMALL,
    Run,
    age,
    document_path,
    refuse,
    removed,
    stray,
)
from tests.conftest import running_app
from tests.support.client import create, delete, renew, share, upload
from tests.support.marks import on_both_databases, without_rate_limits

pytestmark = [on_both_databases, without_rate_limits]


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
    for share_id in ("first-share", "second-share"):
        create(client, share_id)
    result = run("delete", "first-share", "unknown", "second-share")
    assert result.exit_code == 1
    assert result.stdout == "deleted first-share\ndeleted second-share\n"
    assert result.stderr == "There is no share unknown.\n"


@pytest.mark.parametrize("share_id", ["-hIjKlMn", "--IjKlMn", "------"])
def test_an_id_that_begins_with_a_dash_is_an_id(client: FlaskClient, run: Run, share_id: str) -> None:
    share(client, SMALL, share_id)
    create(client, "other-share")
    for words in ((share_id, "--json"), ("--json", share_id)):
        assert json.loads(run("show", *words).stdout)["shareId"] == share_id
    would = f"would delete other-share\nwould delete {share_id}\n"
    assert run("delete", "other-share", share_id, "--dry-run").stdout == would
    assert client.get(f"/share/{share_id}").status_code == 200
    assert run("delete", share_id, "other-share").stdout == f"deleted {share_id}\ndeleted other-share\n"
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
        for share_id, days in (("younger", 1), ("oldest", 2)):
            share(app.test_client(), SMALL, share_id)
            age(app, share_id, days * DAY)
        purged = app.test_cli_runner().invoke(args=["shares", "purge", "--json"])
        assert removed(purged) == {"expired": ["oldest"]}


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
