"""A session that was shared with the plugin, in an OpenCode that does not have it any more."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.db.extensions import db
from app.db.models import Share
from app.services.shares.share_secrets import removal_secret_of
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.recorded import document
from tests.support.sync_batches import code, items
from tests.support.writer import Writer

pytestmark = [on_both_databases, without_rate_limits]
SESSION = document("single-message")
NOTE = "This page no longer follows the session"


@pytest.fixture
def writer(client: FlaskClient) -> Writer:
    writer = Writer(client, SESSION)
    writer.snapshot()
    return writer


def sealed(secret: str) -> str:
    """What the plugin gives to OpenCode."""
    return f"sealed.onlyThePluginCanOpenThis.{removal_secret_of(secret)}"


def test_opencode_can_unshare_it(client: FlaskClient, writer: Writer) -> None:
    assert client.delete("/api/share/GhIjKlMn", json={"secret": sealed(writer.secret)}).status_code == 200
    assert client.get("/share/GhIjKlMn").status_code == 404


def test_opencode_cannot_change_it_and_is_told_what_to_do(client: FlaskClient, writer: Writer) -> None:
    body = {"secret": sealed(writer.secret), "data": items(SESSION)}
    refused = client.post("/api/share/GhIjKlMn/sync", json=body)
    assert code(refused) == (401, "plugin_missing")
    assert "Install the plugin again" in refused.get_json()["error"]
    headers = {"X-Share-Secret": sealed(writer.secret)}
    for path in ("presign", "commit"):
        assert code(client.post(f"/api/share/GhIjKlMn/{path}", headers=headers)) == (401, "plugin_missing")
    assert code(client.patch("/api/share/GhIjKlMn", headers=headers)) == (401, "plugin_missing")
    writer.assert_stored()


def test_the_page_says_so_until_the_plugin_is_back(client: FlaskClient, writer: Writer) -> None:
    def sync(secret: str) -> None:
        body = {"secret": secret, "data": items(SESSION)}
        assert client.post("/api/share/GhIjKlMn/sync", json=body).status_code == 401

    def page() -> tuple[bool, str]:
        response = client.get("/share/GhIjKlMn")
        assert response.status_code == 200
        return NOTE in response.text, response.headers["ETag"]

    is_said, before = page()
    assert not is_said
    for wrong in ("wrong", sealed("another secret"), "sealed."):
        sync(wrong)
    assert page() == (False, before)
    sync(sealed(writer.secret))
    is_said, after = page()
    assert (is_said, after != before) == (True, True)
    writer.change(writer.rename("The plugin is back"))
    assert page()[0] is False
    sync(sealed(writer.secret))
    assert page()[0] is True


@pytest.mark.parametrize("secret", [sealed("another secret"), "sealed.onlyThePluginCanOpenThis", "sealed."])
def test_nobody_removes_it_with_what_belongs_to_another_share(
    client: FlaskClient, writer: Writer, secret: str
) -> None:
    refused = client.delete("/api/share/GhIjKlMn", json={"secret": secret})
    assert code(refused) == (401, "plugin_missing")
    writer.assert_stored()


def test_a_share_from_before_there_were_removal_secrets_needs_its_own(
    app: Flask, client: FlaskClient, writer: Writer
) -> None:
    with app.app_context():
        db.session.get_one(Share, "GhIjKlMn").removal_secret = None
        db.session.commit()
    for secret in (sealed(writer.secret), "sealed."):
        refused = client.delete("/api/share/GhIjKlMn", json={"secret": secret})
        assert code(refused) == (401, "plugin_missing")
    assert client.delete("/api/share/GhIjKlMn", json={"secret": writer.secret}).status_code == 200


def test_a_deleted_share_keeps_no_hash_of_it(app: Flask, client: FlaskClient, writer: Writer) -> None:
    client.delete("/api/share/GhIjKlMn", json={"secret": sealed(writer.secret)})
    with app.app_context():
        assert db.session.get_one(Share, "GhIjKlMn").removal_secret is None
