"""The audit log: what it says of whom, and what it must not say."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.share.test_members import PROXY
from tests.support import recorded
from tests.support.client import create, delete
from tests.support.sync_batches import shared

TOKEN = "the-token-of-the-team"


@pytest.fixture
def audited(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "app.audit")
    return caplog


def entries(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "app.audit"]


@pytest.mark.settings(**PROXY, SHARE_CREATE_TOKEN=f"team:{TOKEN}")
def test_the_life_of_a_private_share_is_written_down(
    client: FlaskClient, audited: pytest.LogCaptureFixture
) -> None:
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {TOKEN}"
    created = create(client, audience="password").get_json()
    secret = {"X-Share-Secret": created["secret"]}
    client.patch("/api/share/GhIjKlMn", json={"password": "a new password"}, headers=secret)
    client.patch("/api/share/GhIjKlMn", json={"expiresIn": 60}, headers=secret)
    client.patch("/api/share/GhIjKlMn", json={}, headers=secret)
    for password in ("a wrong password", "a new password"):
        client.post("/share/GhIjKlMn/password", data={"password": password}, headers={"Remote-User": "grace"})
    delete(client, "GhIjKlMn", created["secret"])
    base = {"shareId": "GhIjKlMn", "from": "127.0.0.1"}
    written = entries(audited)
    expires_at = written[2].pop("shareExpiresAt")
    assert expires_at > created["createdAt"]
    assert written == [
        {"event": "share_created", **base, "token": "team", "audience": "password"},
        {"event": "share_changed", **base, "audience": "password", "newPassword": True},
        {"event": "share_changed", **base, "audience": "password", "newPassword": False},
        {"event": "password_refused", **base, "member": "grace"},
        {"event": "password_entered", **base, "member": "grace"},
        {"event": "share_deleted", **base},
    ]
    for private in (TOKEN, created["secret"], created["password"], "a new password", "a wrong password"):
        assert private not in audited.text


def test_what_failed_is_not_written_down_as_done(
    client: FlaskClient, audited: pytest.LogCaptureFixture
) -> None:
    create(client)
    create(client)
    delete(client, "GhIjKlMn", "wrong")
    client.patch("/api/share/GhIjKlMn", json={"audience": "link"}, headers={"X-Share-Secret": "wrong"})
    assert [entry["event"] for entry in entries(audited)] == ["share_created"]


def test_shares_of_opencode_itself_are_written_down(
    client: FlaskClient, audited: pytest.LogCaptureFixture
) -> None:
    native = shared(client, recorded.document("single-message"))
    [entry] = entries(audited)
    assert entry == {
        "event": "share_created",
        "shareId": native["id"],
        "from": "127.0.0.1",
        "audience": "link",
    }


@pytest.mark.settings(**PROXY)
def test_a_name_cannot_forge_a_line(client: FlaskClient, audited: pytest.LogCaptureFixture) -> None:
    name = "grace\x85\u2028"
    client.post(
        "/api/share/presign",
        json={"shareId": "GhIjKlMn", "sessionId": "ses_1"},
        headers={"Remote-User": name.encode().decode("latin-1")},
    )
    [record] = [record for record in audited.records if record.name == "app.audit"]
    assert record.getMessage().isprintable()
    json.loads(record.getMessage())
