"""`SHARE_REDACT`: what OpenCode sends by itself is stored without the secrets that are recognised."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random

import pytest
import zstandard
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.extensions import db
from app.db.models import ShareEvent
from tests.redaction.kinds import ALNUM, pick
from tests.support.sync_batches import SESSION, SESSION_ID, create, items, sync

TOKEN = "ghp_" + pick(Random(1), ALNUM, 36)


pytestmark = pytest.mark.settings(SHARE_REDACT="true")


def planted() -> list[dict[str, object]]:
    """A session with a token in its first prompt, and once more where an answer repeats it."""
    session = deepcopy(SESSION)
    prompt, answer = session["messages"][:2]
    prompt["parts"][0]["text"] += f" My token is {TOKEN}."
    repeated = {"id": "prt_zz", "messageID": answer["info"]["id"], "type": "text", "text": f"So: {TOKEN}"}
    answer["parts"].append(repeated)
    return items(session)


def stored(app: Flask) -> str:
    """All that the database has of the batches."""
    with app.app_context():
        rows = db.session.scalars(select(ShareEvent.items)).all()
    return "".join(zstandard.decompress(row).decode() for row in rows)


def test_a_recognised_secret_is_neither_stored_nor_shown(app: Flask, client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    assert sync(client, share, planted()).status_code == 200
    page, document = client.get(f"/share/{share['id']}"), client.get(f"/api/share/{share['id']}")
    for text in (stored(app), page.text, document.text):
        assert TOKEN not in text
    assert stored(app).count("[redacted:") == 2


@pytest.mark.settings(SHARE_REDACT="false")
def test_without_the_setting_everything_is_stored_as_it_came(app: Flask, client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    assert sync(client, share, planted()).status_code == 200
    assert TOKEN in stored(app)


def test_a_session_without_secrets_is_stored_as_it_came(app: Flask, client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    assert sync(client, share, items(SESSION)).status_code == 200
    document = json.loads(client.get(f"/api/share/{share['id']}").text)
    texts = [
        [part["text"] for message in found["messages"] for part in message["parts"] if part["type"] == "text"]
        for found in (document, SESSION)
    ]
    assert texts[0] == texts[1]


def test_what_takes_too_long_to_look_through_is_not_stored(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = create(client, SESSION_ID)
    monkeypatch.setattr("app.api.sync.REDACTION_SECONDS", 1e-6)
    refused = sync(client, share, planted())
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_redacted")
    assert stored(app) == ""


def test_items_nested_too_deeply_are_refused(app: Flask, client: FlaskClient) -> None:
    share = create(client, SESSION_ID)
    nested = "[" * 900 + "]" * 900
    body = f'{{"secret": "{share["secret"]}", "data": [{{"type": "new", "data": {nested}}}]}}'
    answer = client.post(f"/api/share/{share['id']}/sync", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert stored(app) == ""
