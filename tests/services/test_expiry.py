"""Shares that expire: at the wish of who made them, and at the operator's."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.services.maintenance import run_maintenance
from tests.conftest import running_app
from tests.support.client import create, delete, renew, share, upload
from tests.support.marks import on_both_databases
from tests.support.recorded import document_bytes

DOCUMENT = document_bytes("rate-limit-feature")
DAY = timedelta(days=1)


pytestmark = on_both_databases


def age(app: Flask, by: timedelta) -> None:
    """Makes the share as old as if it had been made that much earlier."""
    with app.app_context():
        found = db.session.get_one(Share, "GhIjKlMn")
        found.created_at -= by
        found.last_link_at -= by
        found.expires_at = found.expires_at and found.expires_at - by
        db.session.commit()


def test_a_share_expires_when_it_was_asked_to(app: Flask, client: FlaskClient) -> None:
    now = time.time() * 1000
    answer = share(client, DOCUMENT, expiresIn=86_400)
    assert now <= answer["shareExpiresAt"] - 86_400_000 <= time.time() * 1000
    age(app, DAY - timedelta(minutes=1))
    assert client.get("/share/GhIjKlMn").status_code == 200
    age(app, timedelta(minutes=1))
    assert client.get("/share/GhIjKlMn").status_code == 410


def test_a_share_lasts_for_ever_where_nobody_says_otherwise(app: Flask, client: FlaskClient) -> None:
    assert "shareExpiresAt" not in share(client, DOCUMENT)
    age(app, 5000 * DAY)
    assert client.get("/share/GhIjKlMn").status_code == 200


@pytest.mark.parametrize("wanted", [0, -1, 1.5, "1d", 10**12])
def test_a_lifetime_is_a_positive_number_of_seconds(client: FlaskClient, wanted: object) -> None:
    assert create(client, expiresIn=wanted).get_json()["code"] == "invalid_request"


def test_every_reader_is_told_at_once_that_a_share_has_expired(app: Flask, client: FlaskClient) -> None:
    share(client, DOCUMENT, expiresIn=3600)
    pages = [f"/share/GhIjKlMn{rest}" for rest in ("", ".md", ".json", "/changes", "/prompts", "/card.png")]
    documents = ["/api/share/GhIjKlMn", "/api/share/GhIjKlMn/data"]
    etags = {path: client.get(path).headers["ETag"] for path in pages + documents}
    age(app, timedelta(hours=1))
    for path, etag in etags.items():
        gone = client.get(path, headers={"If-None-Match": etag})
        assert (gone.status_code, gone.headers["Cache-Control"]) == (410, "no-store"), path
        assert "rate limiting" not in gone.text
    assert client.get("/api/share/GhIjKlMn").get_json()["code"] == "expired"
    assert "This link has expired" in client.get("/share/GhIjKlMn").text


def test_an_expired_share_takes_no_more_uploads(app: Flask, client: FlaskClient) -> None:
    answer = create(client, expiresIn=3600).get_json()
    age(app, timedelta(hours=1))
    assert renew(client, "GhIjKlMn", answer["secret"]).get_json()["code"] == "expired"
    assert create(client, secret=answer["secret"]).status_code == 409
    refused = upload(client, answer, DOCUMENT)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "share_expired")


def test_an_upload_link_never_outlives_its_share(client: FlaskClient) -> None:
    answer = create(client, expiresIn=600).get_json()
    assert answer["expiresAt"] == answer["shareExpiresAt"]
    signed = int(answer["presignedUrl"].partition("expires=")[2].partition("&")[0])
    assert signed <= answer["shareExpiresAt"] / 1000


def test_its_author_can_still_delete_an_expired_share(app: Flask, client: FlaskClient) -> None:
    secret = share(client, DOCUMENT, expiresIn=60)["secret"]
    age(app, DAY)
    assert delete(client, "GhIjKlMn", secret).status_code == 200
    assert client.get("/share/GhIjKlMn").status_code == 404


def test_a_new_rule_of_the_operator_holds_for_shares_that_exist(
    app: Flask, client: FlaskClient, settings: dict[str, str]
) -> None:
    share(client, DOCUMENT)
    age(app, 3 * DAY)
    for rule, status in (("4d", 200), ("3d", 410), ("", 200)):
        with running_app({**settings, "SHARE_MAX_AGE": rule}) as ruled:
            assert ruled.test_client().get("/share/GhIjKlMn").status_code == status


def test_the_earlier_of_wish_and_rule_counts(settings: dict[str, str]) -> None:
    with running_app({**settings, "SHARE_MAX_AGE": "2h"}) as app:
        for wanted, seconds in ((3600, 3600), (86_400, 7200), (None, 7200)):
            answer = create(app.test_client(), f"after{wanted}", expiresIn=wanted).get_json()
            assert answer["shareExpiresAt"] - answer["createdAt"] == seconds * 1000


def test_a_host_drops_what_it_holds_of_an_expired_share(
    app: Flask, client: FlaskClient, settings: dict[str, str]
) -> None:
    share(client, DOCUMENT, expiresIn=60)
    share(client, DOCUMENT, "StaysHere")
    for share_id in ("GhIjKlMn", "StaysHere"):
        client.get(f"/share/{share_id}")
    with app.app_context():
        # Not made older as well: that would be another life.
        db.session.get_one(Share, "GhIjKlMn").expires_at = datetime.now(UTC)
        db.session.commit()
        run_maintenance()
        assert {key.partition(".")[0] for key in services().documents.cache_keys()} == {"StaysHere"}
    [left] = Path(settings["DATA_DIR"], "cache").iterdir()
    assert left.name.startswith("StaysHere.")


def test_the_times_of_a_share_keep_their_zone(app: Flask, client: FlaskClient) -> None:
    create(client, expiresIn=60)
    with app.app_context():
        expires_at = db.session.get_one(Share, "GhIjKlMn").expires_at
    assert expires_at is not None
    assert timedelta(0) < expires_at - datetime.now(UTC) <= timedelta(seconds=60)
