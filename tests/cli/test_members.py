"""`flask members` and `flask tokens`."""

from __future__ import annotations

import json

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from tests.account.support import PROXY, Browser
from tests.support.client import create

pytestmark = pytest.mark.settings(**PROXY)


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=arguments)


@pytest.fixture
def token(client: FlaskClient) -> str:
    """A token of grace, who has a share."""
    token = Browser(client, "grace").new_token()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert create(client, "graces01").status_code == 201
    return token


def test_who_was_here_is_listed(app: Flask, client: FlaskClient, token: str) -> None:
    Browser(client, "ada\x1b[31m@example.com").get("/account/shares")
    table = run(app, "members", "list").output
    assert "grace" in table
    assert "\x1b" not in table
    [ada, grace] = json.loads(run(app, "members", "list", "--json").output)
    assert (grace["account"], grace["issuer"], grace["lastSeenAt"] > 0) == ("grace", "proxy", True)
    assert ada["account"].startswith("ada")


def test_a_member_is_removed_with_their_tokens_and_their_shares_stay(
    app: Flask, client: FlaskClient, token: str
) -> None:
    assert run(app, "members", "remove", "grace").output == "Removed grace, with 1 tokens.\n"
    assert create(client, "graces02").status_code == 401
    [listed] = json.loads(run(app, "shares", "list", "--json").output)
    assert listed["shareId"] == "graces01"
    again = run(app, "members", "remove", "grace")
    assert (again.exit_code, again.output) == (1, "Error: There is no member 'grace'.\n")
    # Whom the proxy still names is a member again, with the same shares, and needs new tokens.
    browser = Browser(app.test_client(), "grace")
    assert "graces01" in browser.get("/account/shares").text
    assert "You have no tokens." in browser.get("/account/tokens").text


def test_a_token_is_listed_and_revoked(app: Flask, client: FlaskClient, token: str) -> None:
    table = run(app, "tokens", "list").output
    assert "laptop" in table
    assert token not in table
    [listed] = json.loads(run(app, "tokens", "list", "--json").output)
    assert (listed["account"], listed["revokedAt"], listed["lastUsedAt"] > 0) == ("grace", None, True)
    assert run(app, "tokens", "revoke", listed["id"]).output == "Revoked laptop.\n"
    assert create(client, "graces02").status_code == 401
    assert run(app, "tokens", "revoke", listed["id"]).exit_code == 1
    [listed] = json.loads(run(app, "tokens", "list", "--json").output)
    assert listed["revokedAt"] > 0
