"""Clocks that are wrong for a while, and then right again."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.services.container import services
from app.services.maintenance import run_maintenance
from tests.support.client import create, renew, share, upload
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.recorded import document, document_bytes
from tests.support.sync_batches import SESSION, document_of, message_items, shared, sync

pytestmark = on_both_databases
SMALL, LARGER = document_bytes("single-message"), document_bytes("rate-limit-feature")
PAGE = "/share/GhIjKlMn"
TITLE = document("rate-limit-feature")["session"]["title"].encode()
HOUR = timedelta(hours=1)


def clock_off_by(offset: timedelta) -> AbstractContextManager[Any]:
    """Moves the wall clock; monotonic clocks go on as they do when somebody sets the time."""
    return time_machine.travel(offset)


@pytest.mark.parametrize("offset", [2 * HOUR, -2 * HOUR])
def test_an_upload_is_shown_at_once_after_the_clock_was_wrong(
    app: Flask, client: FlaskClient, offset: timedelta
) -> None:
    answer = share(client, SMALL)
    with clock_off_by(offset):
        assert client.get(PAGE).status_code == 200
        assert client.get(PAGE).status_code == 200
    renewed = renew(client, "GhIjKlMn", answer["secret"]).get_json()
    assert upload(client, renewed, LARGER).status_code == 200
    with app.app_context():
        freshness = services().documents._freshness
        a_second_later = freshness.monotonic() + freshness.fresh_seconds
        freshness.monotonic = lambda: a_second_later
    assert TITLE in client.get(PAGE).data


@pytest.mark.parametrize("offset", [2 * HOUR, -2 * HOUR])
@without_rate_limits
def test_a_sync_is_shown_at_once_whatever_the_clock_says(client: FlaskClient, offset: timedelta) -> None:
    native = shared(client, SESSION)
    client.get(f"/share/{native['id']}")
    with clock_off_by(offset):
        message = {**SESSION["messages"][0], "info": {**SESSION["messages"][0]["info"], "id": "msg_zz"}}
        message["parts"] = [{**part, "id": "prt_zz", "messageID": "msg_zz"} for part in message["parts"][:1]]
        assert sync(client, native, list(message_items(message))).status_code == 200
        assert "msg_zz" in json.dumps(document_of(client, native))
        assert b"prt_zz" in client.get(f"/share/{native['id']}").data
    assert b"prt_zz" in client.get(f"/share/{native['id']}").data


def test_a_clock_that_runs_ahead_for_a_while_ends_no_share(app: Flask, client: FlaskClient) -> None:
    share(client, SMALL, expiresIn=3600)
    with clock_off_by(2 * HOUR):
        assert client.get(PAGE).status_code == 410
        with app.app_context():
            run_maintenance()
    assert client.get(PAGE).status_code == 200
    assert client.get("/api/share/GhIjKlMn").data == SMALL


def test_a_link_that_was_signed_while_the_clock_was_behind_is_replaced_by_a_new_one(
    client: FlaskClient,
) -> None:
    with clock_off_by(-2 * HOUR):
        answer = create(client).get_json()
    refused = upload(client, answer, SMALL)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "link_expired")
    renewed = renew(client, "GhIjKlMn", answer["secret"]).get_json()
    assert upload(client, renewed, SMALL).status_code == 200
    assert client.get(PAGE).status_code == 200


def test_creations_that_were_counted_while_the_clock_ran_ahead_lock_nobody_out(client: FlaskClient) -> None:
    with clock_off_by(2 * HOUR):
        statuses = [create(client, f"ahead{number}").status_code for number in range(11)]
        assert statuses == [201] * 10 + [429]
    assert create(client, "right-share").status_code == 201
