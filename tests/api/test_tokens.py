"""Servers on which only known people share: tokens in a header, and in the address."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db.extensions import db
from app.db.models import Share
from tests.conftest import running_app
from tests.support.client import SESSION_ID, upload
from tests.support.recorded import document_bytes
from tests.support.servers.gunicorn import gunicorn

ALICE, BOB = "alices-token-for-tests", "bobs~token.for_tests"
TOKENS = {"SHARE_CREATE_TOKEN": f"alice:{ALICE}, bob:{BOB}"}
DOCUMENT = document_bytes("single-message")


pytestmark = pytest.mark.settings(**TOKENS)


def create_with(
    client: FlaskClient, authorization: str = "", share_id: str = "GhIjKlMn", prefix: str = ""
) -> TestResponse:
    body = {"shareId": share_id, "sessionId": SESSION_ID}
    headers = {"Authorization": authorization} if authorization else {}
    return client.post(f"{prefix}/api/share/presign", json=body, headers=headers)


def created_by(app: Flask, share_id: str = "GhIjKlMn") -> str | None:
    with app.app_context():
        return db.session.get_one(Share, share_id).created_by


@pytest.mark.parametrize(("name", "token"), [("alice", ALICE), ("bob", BOB)])
def test_each_token_creates_shares_in_its_name(
    app: Flask, client: FlaskClient, name: str, token: str
) -> None:
    assert create_with(client, f"Bearer {token}").status_code == 201
    assert created_by(app) == name


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "token_required"),
        (f"Basic {ALICE}", "token_required"),
        ("Bearer", "token_required"),
        (f"Bearer {ALICE}x", "wrong_token"),
        (f"Bearer {ALICE[:-1]}", "wrong_token"),
        ("Bearer alice", "wrong_token"),
        ("Bearer þþþþþþþþþþþþþþþþ", "wrong_token"),
    ],
)
def test_without_a_valid_token_nothing_is_created(client: FlaskClient, authorization: str, code: str) -> None:
    refused = create_with(client, authorization)
    assert (refused.status_code, refused.get_json()["code"]) == (401, code)
    assert client.get("/api/share/GhIjKlMn").status_code == 404


@pytest.mark.settings(SHARE_CREATE_TOKEN="")
def test_a_server_without_tokens_takes_no_notice_of_them(app: Flask, client: FlaskClient) -> None:
    assert create_with(client, f"Bearer {ALICE}").status_code == 201
    assert created_by(app) is None


def test_a_token_that_was_taken_away_no_longer_creates_while_others_do(settings: dict[str, str]) -> None:
    with running_app({**settings, "SHARE_CREATE_TOKEN": f"bob:{BOB}"}) as app:
        assert create_with(app.test_client(), f"Bearer {ALICE}").get_json()["code"] == "wrong_token"
        assert create_with(app.test_client(), f"Bearer {BOB}").status_code == 201


@pytest.mark.parametrize("prefix", ["", f"/t/{ALICE}", "/t/a-token-that-was-taken-away"])
def test_the_secret_alone_leads_a_share_through_its_life(client: FlaskClient, prefix: str) -> None:
    secret = create_with(client, f"Bearer {BOB}").get_json()["secret"]
    headers = {"X-Share-Secret": secret}
    body = {"shareId": "GhIjKlMn", "sessionId": SESSION_ID}
    assert client.post(f"{prefix}/api/share/presign", json=body, headers=headers).status_code == 200
    link = client.post(f"{prefix}/api/share/GhIjKlMn/presign", json={}, headers=headers)
    assert upload(client, link.get_json(), DOCUMENT).status_code == 200
    assert client.get(f"{prefix}/api/share/GhIjKlMn").data == DOCUMENT
    assert client.delete(f"{prefix}/api/share/GhIjKlMn", json={"secret": secret}).status_code == 200
    assert client.get("/share/GhIjKlMn").status_code == 404


def test_a_token_in_the_address_counts_as_one_in_the_header(app: Flask, client: FlaskClient) -> None:
    assert create_with(client, prefix=f"/t/{BOB}").status_code == 201
    assert created_by(app) == "bob"
    assert create_with(client, share_id="other", prefix="/t/not-one-of-the-tokens").status_code == 401


def test_no_answer_repeats_the_token_of_the_address(client: FlaskClient) -> None:
    created = create_with(client, prefix=f"/t/{ALICE}")
    assert created.get_json()["url"] == "https://share.example.com/share/GhIjKlMn"
    upload(client, created.get_json(), DOCUMENT)
    for path in ("/", "/share/GhIjKlMn", "/share/GhIjKlMn/", "/share/nowhere", "/api/nowhere"):
        answer = client.get(f"/t/{ALICE}{path}")
        assert ALICE not in answer.text + str(answer.headers)
    assert client.get(f"/t/{ALICE}/share/GhIjKlMn").data == client.get("/share/GhIjKlMn").data
    assert client.get(f"/t/{ALICE}").data == client.get("/").data


def test_creations_with_a_token_count_against_the_token(settings: dict[str, str]) -> None:
    limits = {"RATELIMIT_CREATE": "1/hour", "RATELIMIT_CREATE_TOKEN": "2/hour"}
    with running_app({**settings, **TOKENS, **limits}) as app:
        client = app.test_client()
        alices = [create_with(client, f"Bearer {ALICE}", f"alice{number}").status_code for number in range(3)]
        bobs = [create_with(client, prefix=f"/t/{BOB}", share_id=f"share{number}") for number in range(3)]
        guesses = [create_with(client, f"Bearer guess{number}").status_code for number in range(2)]
    assert alices == [201, 201, 429]
    assert [answer.status_code for answer in bobs] == [201, 201, 429]
    assert guesses == [401, 429]


@pytest.mark.parametrize("prefix", ["", "/t/wrong{}", "//t//wrong{}"])
def test_wrong_tokens_are_limited_as_creations_are(settings: dict[str, str], prefix: str) -> None:
    with running_app({**settings, **TOKENS, "RATELIMIT_CREATE": "4/hour"}) as app:
        client = app.test_client()
        answers = []
        for number in range(3):
            bearer = {} if prefix else {"Authorization": f"Bearer wrong{number}"}
            address = f"{prefix.format(number)}/api/share"
            native = client.post(address, json={"sessionID": SESSION_ID}, headers=bearer)
            body = {"shareId": f"share{number}", "sessionId": SESSION_ID}
            answers += [native, client.post(f"{address}/presign", json=body, headers=bearer)]
    assert [answer.status_code for answer in answers] == [401] * 4 + [429] * 2


@pytest.mark.server
@pytest.mark.parametrize("prefix", ["/t/", "/t//", "//t/"])
def test_the_log_of_requests_masks_the_token_of_the_address(tmp_path: Path, prefix: str) -> None:
    with gunicorn(tmp_path, **TOKENS, GUNICORN_CMD_ARGS="--access-logfile -") as address:
        body = json.dumps({"shareId": "GhIjKlMn", "sessionId": SESSION_ID}).encode()
        with urllib.request.urlopen(f"{address}{prefix}{ALICE}/api/share/presign?a=b", data=body) as response:
            assert response.status == 201
    log = (tmp_path / "gunicorn.log").read_text()
    assert '"POST /t/***/api/share/presign?a=b HTTP/1.1" 201' in log
    assert ALICE not in log
