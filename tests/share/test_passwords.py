"""Sessions that only those may read who know a password."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from time_machine import travel
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.services.access.passwords import generate_password
from app.services.access.readers import COOKIE_SECONDS, MAX_COOKIES
from app.services.container import services
from app.services.shares.live_shares import LiveShares
from tests.support.client import create, share
from tests.support.paths import ROOT

ID = "private1"
DOCUMENT = (ROOT / "tests/fixtures/rate-limit-feature.json").read_bytes()
TITLE = "Add per-client rate limiting"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
# What takes the secret of the share, the signature of a link, or the password itself.
WRITING = {
    "api.commit",
    "api.delete",
    "api.renew",
    "api.sync",
    "api.update",
    "share.enter_password",
    "uploads.upload",
    "uploads.upload_object",
}
VALUES = {"number": 1, "place": 1, "name": "call"}


@pytest.fixture
def private(client: FlaskClient) -> dict[str, Any]:
    """The answer to the creation of a share with a password, which the server made."""
    return share(client, DOCUMENT, ID, audience="password")


def rules_below_a_share(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if "share_id" in rule.arguments]


def enter(client: FlaskClient, password: str, destination: str = "", share_id: str = ID) -> TestResponse:
    return client.post(f"/share/{share_id}/password", data={"password": password, "destination": destination})


def change(client: FlaskClient, created: dict[str, Any], **values: object) -> TestResponse:
    headers = {"X-Share-Secret": created["secret"]}
    return client.patch(f"/api/share/{created['shareId']}", json=values, headers=headers)


def test_no_route_below_a_share_answers_a_stranger(
    app: Flask, client: FlaskClient, private: dict[str, Any]
) -> None:
    reading = [rule for rule in rules_below_a_share(app) if "GET" in (rule.methods or ())]
    assert len(reading) > 20
    for rule in reading:
        values = {name: VALUES.get(name, "x") for name in rule.arguments} | {"share_id": ID}
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **values)
        for headers in ({}, HTML):
            answer = client.get(address, headers=headers)
            is_form = answer.status_code == 200 and "A private session" in answer.text
            assert answer.status_code == 401 or is_form, (address, answer.status_code)
            assert TITLE not in answer.text, address
            assert answer.headers["Cache-Control"] == "no-store"
            assert "ETag" not in answer.headers


def test_what_else_there_is_below_a_share_has_a_proof_of_its_own(app: Flask) -> None:
    others = {rule.endpoint for rule in rules_below_a_share(app) if "GET" not in (rule.methods or ())}
    assert others == WRITING


def test_programs_are_told_what_is_missing(client: FlaskClient, private: dict[str, Any]) -> None:
    for address in (f"/api/share/{ID}", f"/api/share/{ID}/data", f"/share/{ID}.md", f"/share/{ID}"):
        answer = client.get(address)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "password_required")


def ticket_of(client: FlaskClient) -> str:
    page = client.get(f"/share/{ID}/import")
    assert page.headers["Cache-Control"] == "no-store"
    [link] = re.findall(r"opencode import \S+/share/([A-Za-z0-9_-]+)<", page.text)
    return str(link)


def test_opencode_imports_with_a_ticket_for_an_hour(
    app: Flask, client: FlaskClient, private: dict[str, Any]
) -> None:
    enter(client, private["password"])
    page = client.get(f"/share/{ID}").text
    assert f"/share/{ID}/import" in page
    assert "opencode import" not in page
    id = ticket_of(client)
    assert re.fullmatch(rf"{ID}_[A-Za-z0-9_-]{{22}}", id)
    opencode = app.test_client()
    for path in ("share", "shares"):
        for _ in range(2):
            answer = opencode.get(f"/api/{path}/{id}/data")
            assert (answer.status_code, TITLE in answer.text) == (200, True)
    with travel(time.time() + 3500, tick=False):
        assert opencode.get(f"/api/share/{id}/data").status_code == 200
    with travel(time.time() + 3700, tick=False):
        assert opencode.get(f"/api/share/{id}/data").status_code == 401


def test_a_ticket_is_good_for_its_import_alone(
    app: Flask, client: FlaskClient, private: dict[str, Any]
) -> None:
    share(client, DOCUMENT, "private2", audience="password")
    enter(client, private["password"])
    id = ticket_of(client)
    opencode = app.test_client()
    for address in (f"/share/{id}", f"/share/{id}.md", f"/api/share/{id}"):
        assert opencode.get(address).status_code == 404
    proof = id.removeprefix(f"{ID}_")
    forged = ("A" if proof[0] != "A" else "B") + proof[1:]
    for other in (f"private2_{proof}", f"{ID}_{forged}", f"{ID}_{'A' * 22}", f"{ID}_{'_' * 22}"):
        assert opencode.get(f"/api/share/{other}/data").status_code == 401
    change(client, private, password="a new password")
    assert opencode.get(f"/api/share/{id}/data").status_code == 401


def test_an_id_that_looks_like_one_with_a_ticket_is_an_id(client: FlaskClient) -> None:
    share(client, DOCUMENT, f"{ID}_{'A' * 22}")
    assert client.get(f"/api/share/{ID}_{'A' * 22}/data").status_code == 200


def test_a_ticket_of_a_session_that_is_public_by_now_lets_in(
    client: FlaskClient, private: dict[str, Any]
) -> None:
    enter(client, private["password"])
    id = ticket_of(client)
    change(client, private, audience="link")
    assert client.get(f"/api/share/{id}/data").status_code == 200
    assert "opencode import" in client.get(f"/share/{ID}").text


def test_the_author_reads_the_json_with_the_secret(client: FlaskClient, private: dict[str, Any]) -> None:
    for address in (f"/api/share/{ID}", f"/api/share/{ID}/data"):
        assert client.get(address, headers={"X-Share-Secret": private["secret"]}).status_code == 200
        assert client.get(address, headers={"X-Share-Secret": "wrong"}).status_code == 401


def test_who_enters_the_password_gets_to_where_they_were_going(
    client: FlaskClient, private: dict[str, Any]
) -> None:
    form = client.get(f"/share/{ID}/changes?diff=split", headers=HTML).text
    [destination] = re.findall(r'name="destination" value="([^"]*)"', form)
    answer = enter(client, private["password"], destination)
    assert (answer.status_code, answer.location) == (303, f"/share/{ID}/changes?diff=split")
    for address in (f"/share/{ID}", f"/share/{ID}.md", f"/api/share/{ID}", f"/share/{ID}/changes"):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize(
    "destination",
    [
        "https://example.com/",
        "//example.com",
        f"/share/{ID}2",
        f"/share/{ID}/\\example.com",
        "/",
        "javascript:0",
    ],
)
def test_the_form_leads_nowhere_else(client: FlaskClient, private: dict[str, Any], destination: str) -> None:
    assert enter(client, private["password"], destination).location == f"/share/{ID}"


def test_a_wrong_password_opens_nothing(client: FlaskClient, private: dict[str, Any]) -> None:
    answer = enter(client, "something-else")
    assert (answer.status_code, "something-else" in answer.text) == (403, False)
    assert "That is not the password." in answer.text
    assert client.get(f"/share/{ID}").status_code == 401


def test_a_cookie_is_good_for_its_own_share(client: FlaskClient, private: dict[str, Any]) -> None:
    other = share(client, DOCUMENT, "private2", password="another password")
    assert other["audience"] == "password"
    enter(client, private["password"])
    assert client.get("/share/private2").status_code == 401
    cookie = client.get_cookie(f"share-{ID}")
    assert cookie
    client.set_cookie("share-private2", cookie.value)
    assert client.get("/share/private2").status_code == 401


def test_a_cookie_ends_with_its_password_and_after_a_week(
    client: FlaskClient, private: dict[str, Any]
) -> None:
    enter(client, private["password"])
    with travel(COOKIE_SECONDS - 3600 + time.time()):
        assert client.get(f"/share/{ID}").status_code == 200
    with travel(COOKIE_SECONDS + 3600 + time.time()):
        assert client.get(f"/share/{ID}").status_code == 401
    assert change(client, private, password="a new password").get_json() == {"audience": "password"}
    assert client.get(f"/share/{ID}").status_code == 401
    assert enter(client, private["password"]).status_code == 403
    assert enter(client, "a new password").status_code == 303


def test_a_browser_keeps_only_so_many_cookies(client: FlaskClient, private: dict[str, Any]) -> None:
    for number in range(MAX_COOKIES):
        client.set_cookie(f"share-older{number:02}", "x")
    answer = enter(client, private["password"])
    deleted = [cookie for cookie in answer.headers.getlist("Set-Cookie") if "Max-Age=0" in cookie]
    assert [cookie.partition("=")[0] for cookie in deleted] == ["share-older00"]


@pytest.mark.settings(BASE_URL="https://share.example.com/sessions")
def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(
    client: FlaskClient, private: dict[str, Any]
) -> None:
    cookie = enter(client, private["password"]).headers["Set-Cookie"]
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/sessions"} <= set(cookie.split("; "))


def test_a_page_that_was_public_is_gone_from_every_cache(client: FlaskClient) -> None:
    created = share(client, DOCUMENT, ID)
    etag = client.get(f"/share/{ID}").headers["ETag"]
    assert client.get(f"/share/{ID}").status_code == 200
    change(client, created, audience="password", password="long enough")
    assert client.get(f"/share/{ID}").status_code == 401
    assert client.get(f"/share/{ID}", headers={"If-None-Match": etag}).status_code == 401
    assert client.get(f"/api/share/{ID}", headers={"If-None-Match": "*"}).status_code == 401


def test_what_a_reader_was_shown_is_not_served_to_strangers(
    app: Flask, client: FlaskClient, private: dict[str, Any]
) -> None:
    enter(client, private["password"])
    for _ in range(2):
        assert client.get(f"/share/{ID}").status_code == 200
    assert app.test_client().get(f"/share/{ID}").status_code == 401


def test_a_link_is_made_public_again(client: FlaskClient, private: dict[str, Any]) -> None:
    assert change(client, private, audience="link").get_json() == {"audience": "link"}
    assert client.get(f"/share/{ID}").status_code == 200
    # The old password does not come back.
    assert "password" in change(client, private, audience="password").get_json()


def test_the_password_stays_while_something_else_changes(
    client: FlaskClient, private: dict[str, Any]
) -> None:
    answer = change(client, private, audience="password", expiresIn=3600).get_json()
    assert "password" not in answer
    assert answer["shareExpiresAt"] > 0
    assert "shareExpiresAt" not in change(client, private, expiresIn=None).get_json()
    assert enter(client, private["password"]).status_code == 303


def test_only_the_author_changes_who_may_read(client: FlaskClient, private: dict[str, Any]) -> None:
    assert change(client, {**private, "secret": "wrong"}, audience="link").status_code == 401
    assert client.patch(f"/api/share/{ID}", json={"audience": "link"}).status_code == 401
    assert change(client, {**private, "shareId": "unknown1"}, audience="link").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"password": "short"},
        {"password": "x" * 201},
        {"audience": "link", "password": "long enough"},
        {"audience": "everybody"},
    ],
)
def test_an_audience_that_cannot_be_is_refused(client: FlaskClient, body: dict[str, str]) -> None:
    assert create(client, ID, **body).status_code == 400


@pytest.mark.settings(
    S3_ENDPOINT="http://127.0.0.1:9",
    S3_ACCESS_KEY_ID="key",
    S3_SECRET_ACCESS_KEY="secret",
    S3_BUCKET="bucket",
    S3_PUBLIC_URL="http://127.0.0.1:9/public",
)
def test_a_public_bucket_has_no_private_sessions(client: FlaskClient) -> None:
    answer = create(client, ID, audience="password")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "audience_not_offered")


@pytest.mark.settings(RATELIMIT_PASSWORD="3/minute")
def test_guesses_are_limited_by_address_and_lock_no_reader_out(
    app: Flask, client: FlaskClient, private: dict[str, Any]
) -> None:
    enter(client, private["password"])
    guesser = app.test_client()
    assert [enter(guesser, f"guess number {n}").status_code for n in range(3)] == [403, 403, 429]
    assert enter(guesser, private["password"]).status_code == 429
    assert client.get(f"/share/{ID}").status_code == 200


@pytest.mark.settings(RATELIMIT_PASSWORD="1/hour")
def test_who_guesses_too_often_is_told_when_to_come_back_and_led_there(
    client: FlaskClient, private: dict[str, Any]
) -> None:
    enter(client, "a guess")
    guess = {"password": "a guess"}
    page = client.post(f"/share/{ID}/password", data=guess, headers={"Accept": "text/html"})
    assert page.status_code == 429
    assert re.search(r"Try again in \d\d minutes\.", page.text)
    assert f'href="/share/{ID}"' in page.text
    assert "RATELIMIT_PASSWORD" not in page.text
    program = client.post(f"/share/{ID}/password", data=guess, headers={"Accept": "application/json"})
    assert "RATELIMIT_PASSWORD" in program.text


@pytest.mark.settings(RATELIMIT_PASSWORD_SHARE="3/minute")
def test_guesses_from_many_addresses_are_limited_by_share(
    client: FlaskClient, private: dict[str, Any]
) -> None:
    answers = [
        client.post(
            f"/share/{ID}/password",
            data={"password": "a guess"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{number}"},
        ).status_code
        for number in range(4)
    ]
    assert answers == [403, 403, 403, 429]


def test_a_private_session_stays_private_while_the_database_does_not_answer(
    app: Flask, client: FlaskClient, private: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, private["password"])
    assert client.get(f"/share/{ID}").status_code == 200

    def fail(*_args: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(LiveShares, "get", fail)
    assert client.get(f"/share/{ID}").status_code == 200
    assert app.test_client().get(f"/share/{ID}").status_code == 401


def test_a_session_that_becomes_private_is_not_shown_while_the_database_does_not_answer(
    client: FlaskClient, app: Flask
) -> None:
    created = share(client, DOCUMENT, ID)
    client.get(f"/share/{ID}")
    with app.app_context():
        assert services().recent.get(ID)
        change(client, created, audience="password")
        assert services().recent.get(ID) is None


def test_a_deleted_share_leaves_no_password(app: Flask, client: FlaskClient, private: dict[str, Any]) -> None:
    client.delete(f"/api/share/{ID}", headers={"X-Share-Secret": private["secret"]})
    assert client.get(f"/share/{ID}").status_code == 404
    assert enter(client, private["password"]).status_code == 404


def test_generated_passwords_are_long_and_differ() -> None:
    passwords = {generate_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(re.fullmatch(r"(?:[a-z2-9]{4}-){3}[a-z2-9]{4}", password) for password in passwords)
