"""How often a share was read, for its owner."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from time_machine import travel

from app.db.extensions import db
from app.db.models import Share, ShareReader, ViewSalt
from app.services.maintenance import clean_caches
from app.services.members.identity import Identity
from tests.account.support import PROXY, Browser
from tests.conftest import running_app
from tests.share.test_passwords import DOCUMENT, ID
from tests.support.client import delete, share
from tests.support.marks import on_both_databases

pytestmark = [pytest.mark.settings(**PROXY), on_both_databases]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BOTS = ["", "Slackbot 1.0", "facebookexternalhit/1.1", "curl/8.5", "python-requests/2", "Googlebot/2.1"]


@pytest.fixture
def shared(each_database: dict[str, str], app: Flask, client: FlaskClient) -> dict[str, str]:
    created: dict[str, str] = share(client, DOCUMENT, ID)
    return created


def read(client: FlaskClient, address: str = "192.0.2.1", path: str = "", **headers: str) -> int:
    sent = {"User-Agent": FIREFOX, **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = client.get(f"/share/{ID}{path}", headers=sent, environ_base={"REMOTE_ADDR": address})
    return answer.status_code


def views(app: Flask) -> int:
    """The count, once every worker has written."""
    with app.app_context():
        clean_caches()
        found = db.session.scalar(select(Share.views).where(Share.share_id == ID))
        assert found is not None
        return found


def test_a_reader_counts_once_a_day_also_when_answered_from_memory(
    app: Flask, client: FlaskClient, shared: dict[str, str]
) -> None:
    for _ in range(3):
        assert read(client) == 200
    assert views(app) == 1
    assert read(client) == 200
    assert views(app) == 1
    # The next reader is answered from memory from the beginning.
    assert read(client, "192.0.2.2") == 200
    assert views(app) == 2
    with travel(time.time() + 24 * 3600):
        read(client)
        assert views(app) == 3


def test_who_has_the_page_already_counts_too(app: Flask, client: FlaskClient, shared: dict[str, str]) -> None:
    etag = client.get(f"/share/{ID}", headers={"User-Agent": "curl/8"}).headers["ETag"]
    assert read(client, If_None_Match=etag) == 304
    assert views(app) == 1


def test_addresses_of_one_network_are_one_reader(
    app: Flask, client: FlaskClient, shared: dict[str, str]
) -> None:
    read(client, "2001:db8::1")
    read(client, "2001:db8::2")
    read(client, "2001:db8:0:1::1")
    assert views(app) == 2


def test_bots_programs_and_strangers_at_the_door_do_not_count(
    app: Flask, client: FlaskClient, shared: dict[str, str]
) -> None:
    for agent in BOTS:
        assert read(client, User_Agent=agent) == 200
    assert read(client, path=".md") == 200
    assert read(client, path="/card.png") == 200
    client.patch(
        f"/api/share/{ID}", json={"audience": "password"}, headers={"X-Share-Secret": shared["secret"]}
    )
    assert read(client, Accept="text/html") == 200  # the form for the password
    assert read(client) == 401
    assert views(app) == 0


def test_the_owner_does_not_count(app: Flask, client: FlaskClient, shared: dict[str, str]) -> None:
    with app.app_context():
        grace = Identity.from_proxy("grace").member_id
        db.session.execute(update(Share).where(Share.share_id == ID).values(member=grace))
        db.session.commit()
    # As the proxy lets in whoever is signed in, from one office.
    for name in ("grace", "ada"):
        answer = client.get(f"/share/{ID}", headers={"User-Agent": f"{FIREFOX} {name}", "Remote-User": name})
        assert answer.status_code == 200
    assert views(app) == 1
    page = Browser(client, "grace").get("/account/shares").text
    assert "1 reader" in page


@pytest.fixture
def other_worker(each_database: dict[str, str], app: Flask) -> Iterator[Flask]:
    with running_app(each_database) as other:
        yield other


def test_workers_count_a_reader_once_together(
    app: Flask, client: FlaskClient, shared: dict[str, str], other_worker: Flask
) -> None:
    read(client)
    read(other_worker.test_client())
    read(other_worker.test_client(), "192.0.2.2")
    assert views(app) == 1
    assert views(other_worker) == 2
    assert views(app) == 2


def test_nothing_of_a_day_is_kept_after_it(app: Flask, client: FlaskClient, shared: dict[str, str]) -> None:
    read(client)
    views(app)
    with app.app_context():
        [row] = db.session.scalars(select(ShareReader)).all()
        assert (row.share_id, len(row.reader)) == (ID, 24)
        assert db.session.scalars(select(ViewSalt)).all()
    with travel(time.time() + 24 * 3600):
        assert views(app) == 1
    with app.app_context():
        assert not db.session.scalars(select(ShareReader)).all()
        assert not db.session.scalars(select(ViewSalt)).all()


def test_a_deleted_share_leaves_no_readers(app: Flask, client: FlaskClient, shared: dict[str, str]) -> None:
    read(client)
    assert views(app) == 1
    read(client, "192.0.2.2")
    delete(client, ID, shared["secret"])
    assert views(app) == 0
    with app.app_context():
        assert not db.session.scalars(select(ShareReader)).all()


@pytest.mark.settings(SHARE_VIEWS="false")
def test_an_operator_can_turn_it_off(app: Flask, client: FlaskClient, shared: dict[str, str]) -> None:
    read(client)
    assert views(app) == 0
    assert "reader" not in Browser(client, "root").get("/account/shares").text


@pytest.mark.settings(AUTH_PROXY_HEADER="", AUTH_PROXY_FROM="", ADMINS="")
def test_where_nobody_signs_in_nothing_is_counted(
    app: Flask, client: FlaskClient, shared: dict[str, str]
) -> None:
    read(client)
    assert views(app) == 0
