"""Shares of OpenCode's own protocol under an operator's rules: tokens, expiry, clearing, moving."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from tests.conftest import running_app
from tests.support.marks import without_rate_limits
from tests.support.sync_batches import SESSION, SESSION_ID, create, items, shared, sync

TOKEN = "alices-token-for-tests"
DAY = timedelta(days=1)


pytestmark = without_rate_limits


def waiting(app: Flask) -> int:
    """How many batches are not in a document yet."""
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(ShareEvent)) or 0


def clear(app: Flask, *words: str) -> None:
    result = app.test_cli_runner().invoke(args=["shares", *words])
    assert result.exit_code == 0, result.output


def test_a_token_is_needed_to_share_and_may_stand_in_the_address(settings: dict[str, str]) -> None:
    with running_app({**settings, "SHARE_CREATE_TOKEN": f"alice:{TOKEN}"}) as app:
        client = app.test_client()
        refused = client.post("/api/share", json={"sessionID": SESSION_ID})
        assert (refused.status_code, refused.get_json()["code"]) == (401, "token_required")
        account = client.post(
            "/api/shares", json={"sessionID": SESSION_ID}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert account.status_code == 200
        made = client.post(f"/t/{TOKEN}/api/share", json={"sessionID": SESSION_ID}).get_json()
        assert TOKEN not in made["url"]
        body = {"secret": made["secret"], "data": items(SESSION)}
        assert client.post(f"/t/{TOKEN}/api/share/{made['id']}/sync", json=body).status_code == 200
        assert client.get(f"/share/{made['id']}").status_code == 200
        with app.app_context():
            assert db.session.get_one(Share, made["id"]).created_by == "alice"


def test_an_expired_share_takes_no_more_batches_and_is_purged_with_those_it_has(
    settings: dict[str, str],
) -> None:
    rules = {**settings, "SHARE_MAX_AGE": "30d", "RATELIMIT_ENABLED": "false"}
    with running_app(rules) as app:
        client = app.test_client()
        made = shared(client, SESSION)
        assert waiting(app) == 1
        with app.app_context():
            db.session.get_one(Share, made["id"]).created_at -= 31 * DAY
            db.session.commit()
        assert sync(client, made, items(SESSION)).status_code == 410
        assert client.get(f"/share/{made['id']}").status_code == 410
        assert client.get(f"/api/share/{made['id']}/data").status_code == 410
        clear(app, "purge")
        assert waiting(app) == 0
        assert client.get(f"/share/{made['id']}").status_code == 404


def test_sweeping_leaves_a_share_whose_batches_wait_and_ends_one_that_got_none(
    app: Flask, client: FlaskClient
) -> None:
    made, empty = shared(client, SESSION), create(client, "ses_nothing1")
    with app.app_context():
        for share_id in (made["id"], empty["id"]):
            db.session.get_one(Share, share_id).last_link_at -= 2 * DAY
        db.session.commit()
    clear(app, "sweep", "--force")
    assert client.get(f"/share/{made['id']}").status_code == 200
    assert client.get(f"/share/{empty['id']}").status_code == 404


def test_what_waits_to_be_stored_counts_as_uploaded(app: Flask, client: FlaskClient) -> None:
    made = shared(client, SESSION)
    listed = json.loads(app.test_cli_runner().invoke(args=["shares", "list", "--json"]).stdout)
    assert [entry["shareId"] for entry in listed] == [made["id"]]
    assert listed[0]["size"] > 1000


def test_batches_move_with_their_share(
    app: Flask,
    client: FlaskClient,
    settings: dict[str, str],
    postgres_database: str,
    s3_settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = shared(client, SESSION)
    page = client.get(f"/share/{made['id']}").data
    monkeypatch.setenv("OLD_DATA_DIR", settings["DATA_DIR"])
    new = {
        **settings,
        **s3_settings,
        "DATABASE_URL": postgres_database,
        "DATA_DIR": str(tmp_path_factory.mktemp("new")),
    }
    with running_app(new) as moved:
        for _ in range(2):
            result = moved.test_cli_runner().invoke(args=["shares", "migrate-store"])
            assert result.exit_code == 0, result.output
        assert waiting(moved) == 1
        there = moved.test_client()
        assert there.get(f"/share/{made['id']}").data == page
        assert sync(there, made, items(SESSION)[:1]).status_code == 200
