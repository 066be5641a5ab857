"""Sign-in at an OpenID provider, and back to where somebody was going."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from joserfc.jwk import OctKey, RSAKey
from time_machine import travel
from werkzeug.test import TestResponse

from app.services.members.sessions import COOKIE, COOKIE_SECONDS
from tests.account.support import token_in
from tests.conftest import running_app
from tests.http.test_audit import audited, entries
from tests.share.test_passwords import DOCUMENT, HTML, ID, TITLE
from tests.support.client import share
from tests.support.servers.openid import CLIENT, ScriptedProvider, openid_provider, scripted_provider

__all__ = ["audited"]

PAGE = f"/share/{ID}/changes?diff=split"
VERIFIED = {"email": "grace@example.com", "email_verified": True, "name": "Grace"}


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with scripted_provider() as provider:
        yield provider


@contextmanager
def signing_in_at(issuer: str, settings: dict[str, str], **more: str) -> Iterator[FlaskClient]:
    """A browser of a server with a session for members, at which nobody has signed in."""
    asked = {"OIDC_ISSUER": issuer, "OIDC_ALLOW": "@example.com", **CLIENT, **more}
    with running_app({**settings, **asked}) as app:
        share(app.test_client(), DOCUMENT, ID, audience="members")
        yield app.test_client()


@pytest.fixture
def browser(provider: ScriptedProvider, settings: dict[str, str]) -> Iterator[FlaskClient]:
    with signing_in_at(provider.issuer, settings) as browser:
        yield browser


def begin(browser: FlaskClient, page: str = PAGE) -> dict[str, str]:
    """What the browser is told to ask of the provider."""
    to_sign_in = browser.get(page, headers=HTML)
    assert (to_sign_in.status_code, to_sign_in.headers["Cache-Control"]) == (302, "no-store")
    to_provider = browser.get(to_sign_in.location)
    assert to_provider.status_code == 302
    assert to_provider.location.startswith("http://127.0.0.1:")
    query = parse_qs(urlsplit(to_provider.location).query)
    return {name: values[0] for name, values in query.items()}


def finish(browser: FlaskClient, state: str, **query: str) -> TestResponse:
    return browser.get("/account/callback", query_string={"state": state, "code": "a-code", **query})


def sign_in(browser: FlaskClient, provider: ScriptedProvider, **claims: object) -> TestResponse:
    asked = begin(browser)
    provider.sign(asked["nonce"], **claims)
    return finish(browser, asked["state"])


@pytest.mark.server
def test_a_real_provider_signs_in_and_leads_back(settings: dict[str, str], tmp_path: Path) -> None:
    people = {"4711": VERIFIED, "4712": {"email": "mallory@example.com"}}
    with (
        openid_provider(tmp_path, people) as issuer,
        signing_in_at(issuer, settings) as browser,
    ):
        statuses = []
        for subject in ("4712", "4711"):
            to_provider = browser.get(browser.get(PAGE, headers=HTML).location)
            answer = requests.post(
                to_provider.location, data={"sub": subject}, allow_redirects=False, timeout=60
            )
            callback = answer.headers["Location"]
            assert callback.startswith("https://share.example.com/account/callback?")
            back = browser.get(callback.removeprefix("https://share.example.com"), headers=HTML)
            statuses.append(back.status_code)
        # The mail address of the first is not verified.
        assert statuses == [403, 303]
        assert back.location == PAGE
        assert TITLE in browser.get(back.location).text
        again = browser.get(callback.removeprefix("https://share.example.com"), headers=HTML)
        assert again.status_code == 403


def test_the_request_has_a_challenge_and_the_exchange_its_verifier(
    browser: FlaskClient, provider: ScriptedProvider
) -> None:
    asked = begin(browser)
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "https://share.example.com/account/callback"
    assert asked["scope"] == "openid email profile"
    provider.sign(asked["nonce"])
    assert finish(browser, asked["state"]).status_code == 303
    [exchange] = [parse_qs(body) for method, path, body in provider.requests if path == "/token"]
    assert len(exchange["code_verifier"][0]) >= 43
    assert exchange["redirect_uri"] == [asked["redirect_uri"]]
    assert "client_secret" not in exchange


def test_who_is_signed_in_reads_and_strangers_are_led_to_the_sign_in(
    browser: FlaskClient, provider: ScriptedProvider
) -> None:
    assert browser.get(PAGE).get_json()["code"] == "sign_in_required"
    assert browser.get(f"/api/share/{ID}", headers=HTML).status_code == 401
    back = sign_in(browser, provider)
    assert (back.status_code, back.location) == (303, PAGE)
    for address in (PAGE, f"/share/{ID}", f"/share/{ID}.md", f"/api/share/{ID}"):
        assert browser.get(address).status_code == 200
    assert browser.application.test_client().get(f"/share/{ID}").status_code == 401


def none(provider: ScriptedProvider, nonce: str) -> None:
    provider.sign(nonce)
    head = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    provider.id_token = f"{head}.{provider.id_token.split('.')[1]}."


HOSTILE = {
    "expired": lambda provider, nonce: provider.sign(nonce, exp=int(time.time()) - 120),
    "from the future": lambda provider, nonce: provider.sign(nonce, iat=int(time.time()) + 3600),
    "for another client": lambda provider, nonce: provider.sign(nonce, aud="another"),
    "for another client, by this one": lambda provider, nonce: provider.sign(
        nonce, aud="another", azp=CLIENT["OIDC_CLIENT_ID"]
    ),
    "for many, not by this one": lambda provider, nonce: provider.sign(
        nonce, aud=["another", CLIENT["OIDC_CLIENT_ID"]], azp="another"
    ),
    "by another issuer": lambda provider, nonce: provider.sign(nonce, iss="https://example.org"),
    "with another nonce": lambda provider, nonce: provider.sign(nonce + "x"),
    "without a nonce": lambda provider, nonce: provider.sign(None),
    "unsigned": none,
    "signed with another key": lambda provider, nonce: provider.sign(
        nonce, key=RSAKey.generate_key(2048, {"kid": "1"})
    ),
    "signed with the client's secret": lambda provider, nonce: provider.sign(
        nonce, key=OctKey.import_key(CLIENT["OIDC_CLIENT_SECRET"] * 2), header={"alg": "HS256", "kid": "1"}
    ),
    "without a subject": lambda provider, nonce: provider.sign(nonce, sub=None),
    "no token at all": lambda provider, nonce: setattr(provider, "id_token", "something else"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_that_is_not_right_signs_nobody_in(
    browser: FlaskClient, provider: ScriptedProvider, name: str
) -> None:
    asked = begin(browser)
    HOSTILE[name](provider, asked["nonce"])
    answer = finish(browser, asked["state"])
    assert answer.status_code == 403
    assert browser.get_cookie(COOKIE) is None
    assert browser.get(PAGE).status_code == 401


def test_clocks_may_differ_by_a_minute(browser: FlaskClient, provider: ScriptedProvider) -> None:
    now = int(time.time())
    assert sign_in(browser, provider, exp=now - 30, iat=now - 330).status_code == 303


def test_an_answer_counts_once_in_the_browser_that_asked(
    browser: FlaskClient, provider: ScriptedProvider
) -> None:
    asked = begin(browser)
    provider.sign(asked["nonce"])
    other = browser.application.test_client()
    assert finish(other, asked["state"]).status_code == 403
    assert finish(browser, asked["state"] + "x").status_code == 403
    assert finish(browser, "").status_code == 403
    assert finish(browser, asked["state"]).status_code == 303
    browser.delete_cookie(COOKIE)
    assert finish(browser, asked["state"]).status_code == 403


def test_an_attempt_ends_after_a_quarter_of_an_hour(browser: FlaskClient, provider: ScriptedProvider) -> None:
    asked = begin(browser)
    with travel(time.time() + 16 * 60):
        provider.sign(asked["nonce"])
        assert finish(browser, asked["state"]).status_code == 403


def test_several_tabs_sign_in_at_once(browser: FlaskClient, provider: ScriptedProvider) -> None:
    tabs = [begin(browser) for _ in range(3)]
    for asked in tabs:
        provider.sign(asked["nonce"])
        assert finish(browser, asked["state"]).status_code == 303


def test_a_refusal_of_the_provider_is_a_sentence(browser: FlaskClient, provider: ScriptedProvider) -> None:
    asked = begin(browser)
    answer = finish(browser, asked["state"], code="", error="access_denied", error_description="<b>")
    assert (answer.status_code, "did not sign you in" in answer.text) == (403, True)
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    "destination",
    [
        "//example.org",
        "/\\example.org",
        "\\\\example.org",
        "https://example.org/",
        "https:example.org",
        "javascript:alert(1)",
        "/\t/example.org",
        "/\n/example.org",
        "/x\r\nSet-Cookie: a=b",
        " //example.org",
        "example.org",
        "/é",
        "/" + "x" * 3000,
    ],
)
def test_no_link_leads_elsewhere_after_the_sign_in(
    browser: FlaskClient, provider: ScriptedProvider, destination: str
) -> None:
    to_provider = browser.get("/account/sign-in", query_string={"next": destination})
    asked = parse_qs(urlsplit(to_provider.location).query)
    provider.sign(asked["nonce"][0])
    assert finish(browser, asked["state"][0]).location == "/account/shares"
    # Nor for those who are signed in already.
    assert browser.get("/account/sign-in", query_string={"next": destination}).location == "/account/shares"


@pytest.mark.parametrize("destination", ["/%2f/example.org", "/%5cexample.org", "/.//example.org", PAGE])
def test_a_path_of_this_host_stays_one(
    browser: FlaskClient, provider: ScriptedProvider, destination: str
) -> None:
    to_provider = browser.get("/account/sign-in", query_string={"next": destination})
    asked = parse_qs(urlsplit(to_provider.location).query)
    provider.sign(asked["nonce"][0])
    location = finish(browser, asked["state"][0]).location
    assert location == destination
    assert urlsplit(urljoin("https://share.example.com/account/callback", location)).netloc == (
        "share.example.com"
    )


@pytest.mark.parametrize(
    ("allow", "claims", "may"),
    [
        ("@example.com", {}, True),
        ("@EXAMPLE.com", {"email": "Grace@Example.COM"}, True),
        ("@example.com", {"email_verified": None}, False),
        ("@example.com", {"email_verified": False}, False),
        ("@example.com", {"email": "grace@example.com.example.org"}, False),
        ("@example.com", {"email": "grace@sub.example.com"}, False),
        ("@example.com", {"email": "grace@example.com@example.org"}, False),
        ("example.com", {}, False),
        ("ada@example.com, grace@example.com", {}, True),
        ("ada@example.com", {}, False),
        ("group:staff", {}, False),
        ("group:staff", {"groups": ["other", "staff"]}, True),
        ("group:staff", {"groups": "staff"}, False),
        ("group:staff", {"sub": "group:staff"}, False),
        ("@example.com", {"sub": "@example.com", "email": None}, False),
        ("*", {"email": None}, True),
        ("4711", {"email": None}, True),
        ("Grace", {"name": "Grace"}, False),
    ],
)
def test_only_those_sign_in_whom_the_operator_allows(
    provider: ScriptedProvider, settings: dict[str, str], allow: str, claims: dict[str, object], may: bool
) -> None:
    with signing_in_at(provider.issuer, settings, OIDC_ALLOW=allow) as browser:
        assert sign_in(browser, provider, **claims).status_code == (303 if may else 403)
        assert browser.get(PAGE).status_code == (200 if may else 401)


def test_what_the_token_does_not_say_is_asked_for(
    provider: ScriptedProvider, settings: dict[str, str]
) -> None:
    with signing_in_at(provider.issuer, settings, OIDC_ALLOW="group:staff") as browser:
        provider.user_info = {"sub": "another", "groups": ["staff"]}
        assert sign_in(browser, provider).status_code == 403
        provider.user_info = {"sub": "4711", "groups": ["staff"]}
        assert sign_in(browser, provider).status_code == 303


def test_an_address_is_verified_where_it_stands(browser: FlaskClient, provider: ScriptedProvider) -> None:
    provider.user_info = {"sub": "4711", "email": "grace@example.org", "email_verified": True}
    assert sign_in(browser, provider, email_verified=None).status_code == 403
    provider.user_info = {"sub": "4711", "email": "grace@example.com", "email_verified": True}
    assert sign_in(browser, provider, email="other@example.org", email_verified=None).status_code == 303


def test_who_is_refused_can_choose_another_account(browser: FlaskClient, provider: ScriptedProvider) -> None:
    page = sign_in(browser, provider, email="mallory@example.org")
    [link] = re.findall(r'<a href="([^"]+)">Sign in again</a>', page.text)
    asked = parse_qs(urlsplit(browser.get(link).location).query)
    assert asked["prompt"] == ["select_account"]
    assert "prompt" not in begin(browser)


def test_new_keys_of_the_provider_are_fetched(browser: FlaskClient, provider: ScriptedProvider) -> None:
    assert sign_in(browser, provider).status_code == 303
    browser.delete_cookie(COOKIE)
    provider.key = RSAKey.generate_key(2048, {"kid": "2"})
    assert sign_in(browser, provider, header={"alg": "RS256", "kid": "2"}).status_code == 303
    fetched = [path for _, path, _ in provider.requests]
    assert (fetched.count("/keys"), fetched.count("/.well-known/openid-configuration")) == (2, 1)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://example.org"},
        {"token_endpoint": None},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"jwks_uri": "x" * 300_000},
    ],
)
def test_a_provider_that_answers_wrongly_is_unavailable(
    browser: FlaskClient, provider: ScriptedProvider, metadata: dict[str, object]
) -> None:
    provider.metadata = metadata
    answer = browser.get("/account/sign-in", headers=HTML)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Signing in is not possible at the moment" in answer.text


def test_a_provider_that_cannot_be_reached_is_unavailable(settings: dict[str, str]) -> None:
    with signing_in_at("http://127.0.0.1:9", settings) as browser:
        assert browser.get("/account/sign-in").status_code == 503


def test_a_session_lasts_for_thirty_days_of_absence(browser: FlaskClient, provider: ScriptedProvider) -> None:
    sign_in(browser, provider)
    first = browser.get_cookie(COOKIE)
    with travel(time.time() + COOKIE_SECONDS - 3600):
        assert browser.get(PAGE).status_code == 200
    # Reading is enough.
    assert browser.get_cookie(COOKIE) != first
    with travel(time.time() + 2 * COOKIE_SECONDS - 7200):
        assert browser.get(PAGE).status_code == 200
    with travel(time.time() + 3 * COOKIE_SECONDS):
        assert browser.get(PAGE).status_code == 401


@pytest.mark.parametrize("days", [0, 2])
def test_a_sign_out_ends_every_session(browser: FlaskClient, provider: ScriptedProvider, days: int) -> None:
    other = browser.application.test_client()
    for each in (browser, other):
        assert sign_in(each, provider).status_code == 303
    cookie = browser.get_cookie(COOKIE)
    assert cookie
    # A form from two days ago, whose cookie would be renewed by anything else.
    token = token_in(browser.get("/account/tokens").text)
    assert browser.post("/account/sign-out", data={"csrf_token": "x"}).status_code == 403
    with travel(time.time() + days * 24 * 3600):
        assert browser.post("/account/sign-out", data={"csrf_token": token}).status_code == 303
        assert browser.get_cookie(COOKIE) is None
        assert other.get(PAGE).status_code == 401
        browser.set_cookie(COOKIE, cookie.value)
        assert browser.get(PAGE).status_code == 401
        browser.delete_cookie(COOKIE)
        assert sign_in(browser, provider).status_code == 303
        assert browser.get(PAGE).status_code == 200


def test_a_cookie_that_was_changed_is_none(browser: FlaskClient, provider: ScriptedProvider) -> None:
    sign_in(browser, provider)
    cookie = browser.get_cookie(COOKIE)
    assert cookie
    member, began, signature = cookie.value.split(".")
    for forged in (f"{member}.{int(began) + 1}.{signature}", f"x{member}.{began}.{signature}", "..", member):
        browser.set_cookie(COOKIE, forged)
        assert browser.get(PAGE).status_code == 401


def test_who_is_no_longer_allowed_is_no_longer_signed_in(
    provider: ScriptedProvider, settings: dict[str, str]
) -> None:
    with signing_in_at(provider.issuer, settings) as browser:
        sign_in(browser, provider)
        cookie = browser.get_cookie(COOKIE)
    assert cookie
    changed = {"OIDC_ISSUER": provider.issuer, "OIDC_ALLOW": "@example.org", **CLIENT}
    with running_app({**settings, **changed}) as app:
        other = app.test_client()
        other.set_cookie(COOKIE, cookie.value)
        assert other.get(PAGE).status_code == 401


@pytest.mark.settings(RATELIMIT_SIGN_IN="3/minute")
def test_sign_ins_are_limited(browser: FlaskClient) -> None:
    statuses = [browser.get("/account/sign-in").status_code for _ in range(4)]
    assert statuses == [302, 302, 302, 429]
    page = browser.get("/account/sign-in", headers={"Accept": "text/html"})
    assert (page.status_code, "Try again in a minute." in page.text) == (429, True)


def test_sign_ins_are_written_down(
    browser: FlaskClient, provider: ScriptedProvider, audited: pytest.LogCaptureFixture
) -> None:
    sign_in(browser, provider, email="mallory@example.org")
    sign_in(browser, provider)
    refused, accepted = entries(audited)
    assert (refused["event"], refused["account"]) == ("sign_in_refused", "mallory@example.org")
    assert accepted == {"event": "signed_in", "member": "grace@example.com", "from": "127.0.0.1"}
    for secret in ("a-code", "an-access-token", CLIENT["OIDC_CLIENT_SECRET"], provider.id_token):
        assert secret not in audited.text


@pytest.mark.settings(BASE_URL="https://share.example.com/sessions")
def test_below_a_path_everything_stays_there(browser: FlaskClient, provider: ScriptedProvider) -> None:
    answer = browser.get(f"/sessions{PAGE}", headers=HTML)
    assert answer.location.startswith("/sessions/account/sign-in?next=")
    to_provider = browser.get(answer.location)
    asked = parse_qs(urlsplit(to_provider.location).query)
    assert asked["redirect_uri"] == ["https://share.example.com/sessions/account/callback"]
    provider.sign(asked["nonce"][0])
    back = browser.get(
        "/sessions/account/callback", query_string={"state": asked["state"][0], "code": "a-code"}
    )
    assert back.location == f"/sessions{PAGE}"


def test_without_sign_in_there_is_no_page_of_it(client: FlaskClient) -> None:
    share(client, DOCUMENT, ID)
    assert "/account" not in client.get(f"/share/{ID}").text + client.get("/").text
    for path in ("/account/sign-in", "/account/callback", "/account/sign-out"):
        assert client.get(path).status_code == 404
