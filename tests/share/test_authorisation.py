"""Who gets through which address: every route below a share, for everybody, and for each audience."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from time_machine import travel
from werkzeug.routing import Rule

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.services.members.identity import Identity
from tests.account.support import PROXY, Browser
from tests.share.test_passwords import DOCUMENT, ID, TITLE, VALUES, WRITING, rules_below_a_share
from tests.support.client import share
from tests.support.marks import without_rate_limits

pytestmark = [pytest.mark.settings(**PROXY), without_rate_limits]

OTHER = "private2"
PASSWORD = "a long password"
LIFETIME = 3600
AUDIENCES = ("link", "password", "members")


class Actor(NamedTuple):
    """What a client sends to get in: headers, cookies of these shares, and what stands in place of the id."""

    headers: Mapping[str, str] = {}
    cookies: tuple[str, ...] = ()
    id: str = ID


class World(NamedTuple):
    """A server with a share of grace for an audience, and everybody who might want to read it."""

    app: Flask
    actors: Mapping[str, Actor]


# Who may read a share for each audience; everybody may where the link is enough.
READERS = {
    "password": {"right password", "owner"},
    "members": {"member", "owner", "admin", "personal token"},
}
STRANGERS = {"anonymous", "wrong password", "other share's cookie", "token in the path", "revoked token"}
EVERYBODY = STRANGERS | READERS["password"] | READERS["members"]


@pytest.fixture(params=AUDIENCES)
def audience(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(app: Flask, client: FlaskClient, audience: str) -> World:
    grace = Identity.from_proxy("grace")
    password = {"password": PASSWORD} if audience == "password" else {}
    share(client, DOCUMENT, ID, audience=audience, expiresIn=LIFETIME, **password)
    share(client, DOCUMENT, OTHER, password=PASSWORD)
    cookies = {}
    for id, entered in ((ID, "a wrong password"), (ID, PASSWORD), (OTHER, PASSWORD)):
        reader = app.test_client()
        reader.post(f"/share/{id}/password", data={"password": entered})
        cookie = reader.get_cookie(f"share-{id}")
        cookies[id, entered] = cookie.value if cookie else ""
    with app.app_context():
        db.session.execute(update(Share).where(Share.share_id == ID).values(member=grace.member_id))
        db.session.commit()
    tokens = {name: Browser(app.test_client(), name).new_token() for name in ("ada", "ben")}
    with app.app_context():
        [row] = services().personal_tokens.of(Identity.from_proxy("ben").member_id)
        services().personal_tokens.revoke(row.id)
    page = app.test_client().get(f"/share/{ID}/import", headers={"Remote-User": "grace"}).text
    [ticket] = re.findall(rf"/share/({ID}_[A-Za-z0-9_-]{{22}})", page) or [ID]
    return World(
        app,
        {
            "anonymous": Actor(),
            "wrong password": Actor(cookies=(f"share-{ID}={cookies[ID, 'a wrong password']}",)),
            "right password": Actor(cookies=(f"share-{ID}={cookies[ID, PASSWORD]}",)),
            "other share's cookie": Actor(
                cookies=(
                    f"share-{OTHER}={cookies[OTHER, PASSWORD]}",
                    f"share-{ID}={cookies[OTHER, PASSWORD]}",
                )
            ),
            "member": Actor({"Remote-User": "ada"}),
            "owner": Actor({"Remote-User": "grace"}),
            "admin": Actor({"Remote-User": "root"}),
            "personal token": Actor({"Authorization": f"Bearer {tokens['ada']}"}),
            "revoked token": Actor({"Authorization": f"Bearer {tokens['ben']}"}),
            "token in the path": Actor({"token": tokens["ada"]}),
            "import ticket": Actor(id=ticket),
        },
    )


def addresses(app: Flask, id: str, method: str = "GET") -> dict[str, str]:
    """The address of each route below a share that takes this method, by its endpoint and rule."""
    rules: list[Rule] = [rule for rule in rules_below_a_share(app) if method in (rule.methods or ())]
    with app.test_request_context():
        return {
            f"{rule.endpoint} {rule.rule}": rule.build(
                {name: VALUES.get(name, "x") for name in rule.arguments} | {"share_id": id}
            )[1]
            for rule in rules
        }


def ask(world: World, actor: Actor, address: str, method: str = "GET") -> tuple[int, str]:
    """Status and text of the answer."""
    client = world.app.test_client(use_cookies=False)
    headers: dict[str, Any] = {name: value for name, value in actor.headers.items() if name != "token"}
    if "token" in actor.headers:
        address = f"/t/{actor.headers['token']}{address}"
    if actor.cookies:
        headers["Cookie"] = "; ".join(actor.cookies)
    answer = client.open(address, method=method, headers=headers)
    return answer.status_code, answer.text if answer.mimetype != "image/png" else ""


def test_every_route_asks_everybody_who_they_are(world: World, audience: str) -> None:
    reading = addresses(world.app, ID)
    assert len(reading) > 20
    readers = READERS.get(audience, EVERYBODY)
    for name in EVERYBODY:
        for endpoint, address in reading.items():
            if endpoint.startswith("account."):
                continue
            status, text = ask(world, world.actors[name], address)
            if name in readers:
                # There is no block, file or message that is called x.
                assert status in (200, 302, 404), (name, endpoint, status)
            else:
                assert (status, TITLE in text) == (401, False), (name, endpoint, status)


def test_what_readers_get_is_the_session(world: World, audience: str) -> None:
    for name in READERS.get(audience, EVERYBODY):
        for path in (f"/share/{ID}", f"/share/{ID}.md", f"/share/{ID}.json", f"/api/share/{ID}"):
            status, text = ask(world, world.actors[name], path)
            assert (status, TITLE in text) == (200, True), (name, path)


def test_a_ticket_is_good_for_the_import_alone(world: World, audience: str) -> None:
    ticket = world.actors["import ticket"]
    if audience == "link":
        assert ticket.id == ID
        return
    for endpoint, address in addresses(world.app, ticket.id).items():
        if endpoint.startswith("account."):
            continue
        status, text = ask(world, ticket, address)
        expected = 200 if endpoint.startswith("api.data") else 404
        assert (status, TITLE in text) == (expected, expected == 200), endpoint


def test_what_has_expired_nobody_reads(world: World, audience: str) -> None:
    with travel(time.time() + LIFETIME + 60):
        for name in EVERYBODY:
            for endpoint, address in addresses(world.app, ID).items():
                if not endpoint.startswith("account."):
                    status, text = ask(world, world.actors[name], address)
                    assert (status, TITLE in text) == (410, False), (name, endpoint, status)


def test_without_its_secret_nobody_changes_a_share(world: World, audience: str) -> None:
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        for endpoint, address in addresses(world.app, ID, method).items():
            if endpoint.partition(" ")[0] not in WRITING - {"share.enter_password"}:
                continue
            for name in EVERYBODY:
                status, _ = ask(world, world.actors[name], address, method)
                assert status in (400, 401, 403, 411), (name, method, endpoint, status)
    assert ask(world, world.actors["owner"], f"/share/{ID}")[0] == 200


# What the page of a share at /account says to each of them.
MANAGERS = {
    "anonymous": 401,
    "right password": 401,
    "personal token": 401,
    "token in the path": 401,
    "member": 403,
    "owner": 200,
    "admin": 200,
}


@pytest.mark.parametrize("name", MANAGERS)
def test_only_owners_and_admins_manage_a_share(world: World, name: str, audience: str) -> None:
    assert ask(world, world.actors[name], f"/account/shares/{ID}")[0] == MANAGERS[name]
    # A form without the token of its member does nothing for anybody.
    for address in ("/account/selection/delete", "/account/selection/change", f"/account/shares/{ID}/claim"):
        status, _ = ask(world, world.actors[name], f"{address}?share={ID}", "POST")
        assert status == (403 if name in ("member", "owner", "admin") else 401)
    assert ask(world, world.actors["owner"], f"/share/{ID}")[0] == 200


def test_every_page_of_members_is_for_members(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("account.")]
    open_to_all = {"account.sign_in", "account.callback"}
    assert len(rules) > 8
    with app.test_request_context():
        for rule in rules:
            address = rule.build(dict.fromkeys(rule.arguments, "x"))[1]
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                status = app.test_client().open(address, method=method).status_code
                assert (status == 401) or rule.endpoint in open_to_all, (rule.endpoint, method, status)
