"""Sessions for those who are signed in at a proxy in front of the server."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.http.proxy_sign_in import GROUPS_KEY, MEMBER_KEY, ProxySignIn
from tests.conftest import running_app
from tests.share.test_passwords import DOCUMENT, HTML, ID, TITLE, change
from tests.support import recorded
from tests.support.client import create, share
from tests.support.sync_batches import shared

PROXY = {"AUTH_PROXY_HEADER": "Remote-User", "AUTH_PROXY_FROM": "127.0.0.1,unix,2001:db8::/32"}
SIGNED_IN = {"Remote-User": "grace"}

pytestmark = pytest.mark.settings(**PROXY)


@pytest.fixture
def members_only(client: FlaskClient) -> dict[str, Any]:
    created = share(client, DOCUMENT, ID, audience="members")
    assert created["audience"] == "members"
    return created


def test_members_read_and_strangers_are_told_why_not(
    client: FlaskClient, members_only: dict[str, Any]
) -> None:
    for address in (f"/share/{ID}", f"/share/{ID}.md", f"/api/share/{ID}", f"/api/share/{ID}/data"):
        assert client.get(address, headers=SIGNED_IN).status_code == 200
        answer = client.get(address, headers=HTML)
        assert answer.status_code == 401
        assert TITLE not in answer.text
        assert "signed in" in answer.text
    assert client.get(f"/api/share/{ID}").get_json()["code"] == "sign_in_required"


@pytest.mark.parametrize(
    ("peer", "is_believed"),
    [
        ("127.0.0.1", True),
        ("", True),
        ("2001:db8::7", True),
        ("192.0.2.1", False),
        ("2001:db9::7", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_only_the_proxy_says_who_is_signed_in(
    client: FlaskClient, members_only: dict[str, Any], peer: str, is_believed: bool
) -> None:
    answer = client.get(f"/share/{ID}", headers=SIGNED_IN, environ_base={"REMOTE_ADDR": peer})
    assert answer.status_code == (200 if is_believed else 401)


@pytest.mark.settings(**PROXY, TRUSTED_PROXIES="1")
def test_the_address_of_the_proxy_counts_and_not_that_of_its_client(
    client: FlaskClient, members_only: dict[str, Any]
) -> None:
    forged = {**SIGNED_IN, "X-Forwarded-For": "127.0.0.1"}
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get(f"/share/{ID}", headers=forged, environ_base=stranger).status_code == 401
    through = {**SIGNED_IN, "X-Forwarded-For": "192.0.2.1"}
    assert client.get(f"/share/{ID}", headers=through).status_code == 200


@pytest.mark.parametrize("header", ["Remote-Users", "X-Remote-User"])
def test_another_header_is_not_believed(
    client: FlaskClient, members_only: dict[str, Any], header: str
) -> None:
    assert client.get(f"/share/{ID}", headers={header: "grace"}).status_code == 401


def test_nobody_without_a_name_is_signed_in(client: FlaskClient, members_only: dict[str, Any]) -> None:
    assert client.get(f"/share/{ID}", headers={"Remote-User": "  "}).status_code == 401


GROUPS = {"AUTH_PROXY_GROUPS_HEADER": "Remote-Groups", "ADMINS": "group:admins"}


def is_admin(client: FlaskClient, **sent: Any) -> bool:
    """Whether the list has the shares of everybody."""
    page = client.get("/account/shares", **sent)
    assert page.status_code == 200
    return "All shares" in page.text


@pytest.mark.settings(**PROXY, **GROUPS)
@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("admins", True),
        ("staff, admins", True),
        ("staff|admins", True),
        ("staff,admins2", False),
        ("group:admins", False),
        ("", False),
    ],
)
def test_a_group_that_the_proxy_names_manages_all_shares(
    client: FlaskClient, groups: str, expected: bool
) -> None:
    assert is_admin(client, headers={**SIGNED_IN, "Remote-Groups": groups}) == expected


@pytest.mark.settings(**PROXY, **GROUPS)
def test_who_leaves_a_group_manages_nothing_with_the_next_request(client: FlaskClient) -> None:
    assert is_admin(client, headers={**SIGNED_IN, "Remote-Groups": "admins"})
    assert not is_admin(client, headers={**SIGNED_IN, "Remote-Groups": "staff"})
    assert is_admin(client, headers={**SIGNED_IN, "Remote-Groups": "admins"})
    assert not is_admin(client, headers=SIGNED_IN)


@pytest.mark.settings(**PROXY, **GROUPS)
def test_only_the_proxy_says_what_groups_somebody_is_in(client: FlaskClient) -> None:
    forged = {**SIGNED_IN, "Remote-Groups": "admins"}
    stranger = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.get("/account/shares", headers=forged, environ_base=stranger).status_code == 401
    assert client.get("/account/shares", headers={"Remote-Groups": "admins"}).status_code == 401


@pytest.mark.parametrize("peer", ["", "192.0.2.1"])
def test_the_headers_of_the_proxy_go_no_further(peer: str) -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        seen.update(environ)
        return []

    middleware = ProxySignIn(app, "Remote-User", "Remote-Groups", [], with_unix_socket=True)
    sent = {"HTTP_REMOTE_USER": "grace", "HTTP_REMOTE_GROUPS": "admins"}
    middleware({"REMOTE_ADDR": peer, **sent}, lambda *_: lambda _: None)
    assert not sent.keys() & seen.keys()
    assert (seen.get(MEMBER_KEY), seen.get(GROUPS_KEY)) == ((None, None) if peer else ("grace", "admins"))


def test_names_are_in_utf_8(client: FlaskClient) -> None:
    sent = {"HTTP_REMOTE_USER": "Zoë".encode().decode("latin-1")}
    assert "Zoë</p>" in client.get("/account/shares", environ_base=sent).text


@pytest.mark.settings(**PROXY, ADMINS="group:admins")
def test_without_the_setting_no_header_names_groups(client: FlaskClient) -> None:
    assert not is_admin(client, headers={**SIGNED_IN, "Remote-Groups": "admins"})


def test_a_page_for_members_is_not_served_to_strangers(
    client: FlaskClient, members_only: dict[str, Any]
) -> None:
    etag = client.get(f"/share/{ID}", headers=SIGNED_IN).headers["ETag"]
    assert client.get(f"/share/{ID}", headers=SIGNED_IN).status_code == 200
    assert client.get(f"/share/{ID}").status_code == 401
    assert client.get(f"/share/{ID}", headers={"If-None-Match": etag}).status_code == 401


def test_opencode_imports_what_is_for_members_with_a_ticket(
    client: FlaskClient, members_only: dict[str, Any]
) -> None:
    page = client.get(f"/share/{ID}/import", headers=SIGNED_IN).text
    ticket = page.partition(f"/share/{ID}_")[2][:22]
    assert client.get(f"/api/share/{ID}_{ticket}/data").status_code == 200
    assert client.get(f"/share/{ID}/import").status_code == 401


def test_a_password_is_asked_of_members_too(client: FlaskClient) -> None:
    share(client, DOCUMENT, ID, audience="password")
    assert client.get(f"/share/{ID}", headers=SIGNED_IN).status_code == 401


@pytest.mark.settings(**PROXY, SHARE_AUDIENCE="members")
def test_the_default_is_for_whoever_does_not_say(client: FlaskClient) -> None:
    created = share(client, DOCUMENT, ID)
    native = shared(client, recorded.document("single-message"))
    assert created["audience"] == "members"
    assert client.get(f"/share/{ID}").status_code == 401
    assert client.get(f"/share/{native['id']}").status_code == 401
    assert change(client, created, audience="link").get_json()["audience"] == "link"
    assert client.get(f"/share/{ID}").status_code == 200


@pytest.mark.settings(**PROXY, SHARE_AUDIENCE="members", SHARE_AUDIENCES="members,password")
def test_where_there_are_no_public_links_none_is_made(client: FlaskClient) -> None:
    refused = create(client, ID, audience="link")
    assert (refused.status_code, refused.get_json()["code"]) == (400, "audience_not_offered")
    assert "'members', 'password'" in refused.get_json()["error"]
    assert create(client, ID, audience="password").status_code == 201


def test_what_was_public_under_another_rule_is_for_members(
    settings: dict[str, str], client: FlaskClient
) -> None:
    share(client, DOCUMENT, ID, audience="link")
    share(client, DOCUMENT, "private2", audience="password")
    rule = {"SHARE_AUDIENCE": "members", "SHARE_AUDIENCES": "members"}
    with running_app({**settings, **rule}) as app:
        reader = app.test_client()
        assert reader.get(f"/share/{ID}").status_code == 401
        assert reader.get(f"/share/{ID}", headers=SIGNED_IN).status_code == 200
        # What had fewer readers has no more of them.
        assert reader.get("/share/private2", headers=SIGNED_IN).get_json()["code"] == "password_required"


@pytest.mark.settings(AUTH_PROXY_HEADER="", AUTH_PROXY_FROM="")
def test_without_a_proxy_there_is_no_sign_in(client: FlaskClient) -> None:
    assert create(client, ID, audience="members").get_json()["code"] == "audience_not_offered"
