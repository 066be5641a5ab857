"""The page of one's own tokens."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services.container import services
from tests.account.support import PROXY, Browser
from tests.http.test_audit import audited, entries
from tests.support.client import create

__all__ = ["audited"]

pytestmark = pytest.mark.settings(**PROXY)


@pytest.fixture
def grace(client: FlaskClient) -> Browser:
    return Browser(client, "grace")


def test_a_token_is_shown_once_with_what_to_do(grace: Browser) -> None:
    page = grace.post("/account/tokens", name="  my   laptop ")
    assert page.headers["Cache-Control"] == "no-store"
    token = Browser.new_token(grace)
    assert "my laptop" in page.text
    listed = grace.get("/account/tokens").text
    assert "my laptop" in listed
    assert token not in listed
    page = grace.post("/account/tokens", name="other").text
    assert "&#34;enterprise&#34;: { &#34;url&#34;: &#34;https://share.example.com/t/bs_" in page or (
        '"enterprise": { "url": "https://share.example.com/t/bs_' in page
    )


def test_a_token_works_until_it_is_revoked_on_the_page(app: Flask, grace: Browser) -> None:
    token = grace.new_token()
    program = app.test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert create(program, "bytoken1").status_code == 201
    with app.app_context():
        member = services().members.all()[0].id
        [row] = services().personal_tokens.of(member)
    other = Browser(app.test_client(), "ada")
    other.post(f"/account/tokens/{row.id}/revoke")
    assert create(program, "bytoken2").status_code == 201
    assert grace.post(f"/account/tokens/{row.id}/revoke").status_code == 303
    assert create(program, "bytoken3").status_code == 401
    assert "You have no tokens." in grace.get("/account/tokens").text


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\0b"])
def test_a_token_has_a_name(grace: Browser, name: str) -> None:
    page = grace.post("/account/tokens", name=name)
    assert (page.status_code, "A name has 1 to 60 characters." in page.text) == (400, True)


def test_forms_of_other_sites_and_other_members_do_nothing(app: Flask, grace: Browser) -> None:
    ada = Browser(app.test_client(), "ada")
    tokens = ["", "x", "é", ada.csrf_token()]
    for token in tokens:
        answer = grace.client.post(
            "/account/tokens", data={"csrf_token": token, "name": "x"}, headers={"Remote-User": "grace"}
        )
        assert answer.status_code == 403
    assert "You have no tokens." in grace.get("/account/tokens").text


def test_strangers_see_no_page_of_members(client: FlaskClient) -> None:
    for path in ("shares", "tokens", "shares/abcdef", "selection", "selection/delete"):
        assert client.get(f"/account/{path}").status_code == 401


def test_what_is_done_with_tokens_is_written_down(grace: Browser, audited: pytest.LogCaptureFixture) -> None:
    token = grace.new_token()
    [row_id] = re.findall(r"/account/tokens/([0-9a-f]+)/revoke", grace.get("/account/tokens").text)
    grace.post(f"/account/tokens/{row_id}/revoke")
    base = {"member": "grace", "from": "127.0.0.1", "token": "laptop"}
    assert entries(audited) == [{"event": "token_created", **base}, {"event": "token_revoked", **base}]
    assert token not in audited.text
