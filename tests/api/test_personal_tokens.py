"""Tokens that members make for their programs."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import travel

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.services.members.identity import Identity
from app.services.members.tokens import MAX_TOKENS, TooManyTokens
from tests.http.test_audit import audited, entries
from tests.share.test_members import PROXY
from tests.share.test_passwords import DOCUMENT, HTML, ID
from tests.support import recorded
from tests.support.client import create, share
from tests.support.marks import on_both_databases
from tests.support.sync_batches import shared

__all__ = ["audited"]

pytestmark = [
    on_both_databases,
    pytest.mark.settings(**PROXY, SHARE_CREATE_TOKEN="team:the-token-of-the-team"),
]

GRACE = Identity.from_proxy("grace")


@pytest.fixture
def token(each_database: dict[str, str], app: Flask) -> str:
    """A token of grace, who is a member."""
    with app.app_context():
        return services().personal_tokens.create(services().members.sign_in(GRACE).id, "laptop")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def row(app: Flask, share_id: str) -> tuple[str | None, str | None]:
    with app.app_context():
        found = db.session.get(Share, share_id)
        assert found
        return found.created_by, found.member


def in_header(client: FlaskClient, token: str) -> FlaskClient:
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def test_a_token_creates_shares_that_belong_to_its_member(
    app: Flask, client: FlaskClient, token: str
) -> None:
    assert create(client, ID).status_code == 401
    assert create(in_header(client, token), ID).status_code == 201
    assert row(app, ID) == ("laptop", GRACE.member_id)
    native = shared(client, recorded.document("single-message"))
    assert row(app, native["id"]) == ("laptop", GRACE.member_id)


def test_a_token_in_the_path_creates_and_never_reads(app: Flask, client: FlaskClient, token: str) -> None:
    answer = client.post(f"/t/{token}/api/share", json={"sessionID": "ses_1f2e3d4c5b6aAbCdEfGhIjKlMn"})
    created = answer.get_json()
    assert row(app, created["id"]) == ("laptop", GRACE.member_id)
    share(in_header(app.test_client(), token), DOCUMENT, ID, audience="members")
    for path in (f"/share/{ID}", f"/share/{ID}.md", f"/api/share/{ID}", f"/api/share/{ID}/data"):
        assert client.get(path, headers=bearer(token)).status_code == 200
        assert client.get(f"/t/{token}{path}").status_code == 401
        assert client.get(path).status_code == 401


def test_a_token_opens_no_password_and_no_page_of_its_member(client: FlaskClient, token: str) -> None:
    share(in_header(client, token), DOCUMENT, ID, audience="password")
    assert client.get(f"/share/{ID}").status_code == 401
    assert client.get("/account/tokens", headers=HTML).status_code == 401


def test_a_revoked_token_is_good_for_nothing(app: Flask, client: FlaskClient, token: str) -> None:
    share(in_header(client, token), DOCUMENT, ID, audience="members")
    with app.app_context():
        [found] = services().personal_tokens.of(GRACE.member_id)
        assert services().personal_tokens.revoke(found.id, "somebody else") is None
        assert services().personal_tokens.revoke(found.id, GRACE.member_id)
    assert client.get(f"/share/{ID}").status_code == 401
    answer = create(client, "another1")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "wrong_token")
    assert "was revoked" in answer.get_json()["error"]
    assert "/account/tokens" in answer.get_json()["error"]


def test_the_tokens_of_who_was_removed_are_good_for_nothing(
    app: Flask, client: FlaskClient, token: str
) -> None:
    with app.app_context():
        services().members.remove(GRACE.member_id)
    assert create(in_header(client, token), ID).status_code == 401


@pytest.mark.settings(SHARE_CREATE_TOKEN="")
def test_where_everybody_may_create_a_wrong_personal_token_is_refused_all_the_same(
    app: Flask, client: FlaskClient, token: str
) -> None:
    assert create(client, ID).status_code == 201
    assert create(in_header(client, "bs_" + "x" * 40), "another1").status_code == 401
    assert create(in_header(client, "anything else"), "another1").status_code == 201
    assert row(app, "another1") == (None, None)


@pytest.mark.settings(RATELIMIT_CREATE_TOKEN="2/hour")
def test_each_token_has_a_limit_of_its_own(app: Flask, client: FlaskClient, token: str) -> None:
    with app.app_context():
        # Under the name of the other, which is no reason to count against it.
        other = services().personal_tokens.create(GRACE.member_id, "laptop")
    statuses = [create(in_header(client, token), f"limited{n}").status_code for n in range(3)]
    assert statuses == [201, 201, 429]
    assert create(in_header(client, other), "limited3").status_code == 201


def test_the_use_of_a_token_is_written_once_an_hour(app: Flask, token: str) -> None:
    def last_use(minutes: int) -> Any:
        with travel(time.time() + minutes * 60), app.app_context():
            services().personal_tokens.find(token)
            return services().personal_tokens.of(GRACE.member_id)[0].last_used_at

    uses = [last_use(minutes) for minutes in (0, 50, 70)]
    assert uses[0]
    assert uses[0] == uses[1] < uses[2]


def test_nobody_has_more_tokens_than_they_can_oversee(app: Flask, token: str) -> None:
    with app.app_context():
        tokens = services().personal_tokens
        for number in range(MAX_TOKENS - 1):
            tokens.create(GRACE.member_id, f"{number}")
        with pytest.raises(TooManyTokens):
            tokens.create(GRACE.member_id, "one more")
        tokens.revoke(tokens.of(GRACE.member_id)[0].id)
        tokens.create(GRACE.member_id, "one more")


def test_what_a_token_does_is_written_down_under_its_names(
    client: FlaskClient, token: str, audited: pytest.LogCaptureFixture
) -> None:
    create(in_header(client, token), ID)
    [entry] = entries(audited)
    assert (entry["event"], entry["token"], entry["member"]) == ("share_created", "laptop", "grace")
    assert token not in audited.text


@pytest.mark.settings(AUTH_PROXY_HEADER="", AUTH_PROXY_FROM="")
def test_without_sign_in_a_token_is_none(client: FlaskClient, token: str) -> None:
    assert create(in_header(client, token), ID).status_code == 401
