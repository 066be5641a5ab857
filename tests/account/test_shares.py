"""The page of one's own shares, and what can be done there."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.services.members.identity import Identity
from app.services.shares.owned import SHARES_PER_PAGE
from tests.account.support import PROXY, Browser
from tests.http.test_audit import audited, entries
from tests.share.test_passwords import DOCUMENT, TITLE
from tests.support import recorded
from tests.support.client import create, share, share_unchecked
from tests.support.marks import on_both_databases, without_rate_limits
from tests.support.sync_batches import shared

__all__ = ["audited"]

pytestmark = [pytest.mark.settings(**PROXY), without_rate_limits, on_both_databases]


@pytest.fixture
def grace(each_database: dict[str, str], app: Flask) -> Browser:
    return Browser(app.test_client(), "grace")


@pytest.fixture
def root(each_database: dict[str, str], app: Flask) -> Browser:
    """An admin."""
    return Browser(app.test_client(), "root")


def own(app: Flask, name: str, share_id: str, **columns: Any) -> None:
    """Makes a share that of somebody, with other values in its row."""
    values = {"member": Identity.from_proxy(name).member_id, **columns}
    with app.app_context():
        db.session.execute(update(Share).where(Share.share_id == share_id).values(values))
        db.session.commit()


def listed(browser: Browser, **query: str) -> list[str]:
    page = browser.get("/account/shares", **query)
    assert page.status_code == 200
    return share_ids(page.text)


def share_ids(page: str) -> list[str]:
    return re.findall(r'name="share" value="([^"]+)"', page)


@pytest.fixture
def shares(app: Flask, client: FlaskClient, grace: Browser) -> dict[str, dict[str, Any]]:
    """Two shares of grace, one of ada and one of nobody."""
    grace.get("/account/shares")
    Browser(app.test_client(), "ada").get("/account/shares")
    created = {id: share(client, DOCUMENT, id) for id in ("grace001", "grace002", "adas0001", "nobodys1")}
    own(app, "grace", "grace001", title="Zebra", project="api")
    own(app, "grace", "grace002", title="apple 100%", project="web")
    own(app, "ada", "adas0001", title="Cherry", project="api")
    return created


def test_members_see_their_own_and_admins_all(shares: dict[str, Any], grace: Browser, root: Browser) -> None:
    assert listed(grace) == ["grace002", "grace001"]
    assert listed(grace, whose="all") == ["grace002", "grace001"]
    assert listed(root) == ["nobodys1", "adas0001", "grace002", "grace001"]
    assert listed(root, whose="mine") == []
    page = root.get("/account/shares").text
    assert "by <bdi>grace</bdi>" in page
    assert "by <bdi>nobody who signed in</bdi>" in page


def test_shares_are_searched_and_sorted(shares: dict[str, Any], grace: Browser, root: Browser) -> None:
    assert listed(grace, q="ZEB") == ["grace001"]
    assert listed(grace, q="web") == ["grace002"]
    assert listed(grace, q="0%") == ["grace002"]
    assert listed(grace, q="%") == ["grace002"]
    assert listed(grace, q="cherry") == []
    assert listed(grace, q="a\0b") == []
    assert listed(root, sort="title", q="e") == ["nobodys1", "grace002", "adas0001", "grace001"]
    assert listed(grace, sort="nonsense") == ["grace002", "grace001"]


@pytest.mark.parametrize("sort", ["created", "changed", "size", "title", "views"])
def test_pages_have_every_share_once_also_when_one_is_deleted_meanwhile(
    app: Flask, client: FlaskClient, grace: Browser, sort: str
) -> None:
    grace.get("/account/shares")
    ids = [f"many{number:04}" for number in range(2 * SHARES_PER_PAGE + 3)]
    for number, id in enumerate(ids):
        assert create(client, id).status_code == 201
        # Many with one value, which the ids then order.
        alike = number // 20
        own(app, "grace", id, title=f"Title {alike}", upload_bytes=1000 * alike, views=alike)
    page = grace.get("/account/shares", sort=sort)
    seen = share_ids(page.text)
    while following := re.findall(r'rel="next" href="([^"]+)"', page.text):
        with app.app_context():
            services().shares.delete_owned(seen[-1])
        page = grace.get(html.unescape(following[0]))
        seen += share_ids(page.text)
    assert sorted(seen) == ids
    assert len(seen) == len(ids)


def test_an_address_of_a_page_that_is_not_right_leads_to_the_first(
    shares: dict[str, Any], grace: Browser
) -> None:
    for after in ("", "grace002", "WyJhIiwiYiJd.aaaaaa.bbbbbb"):
        assert listed(grace, after=after) == ["grace002", "grace001"]


def test_the_size_is_known_however_a_session_came(app: Flask, client: FlaskClient, grace: Browser) -> None:
    grace.get("/account/shares")
    share(client, DOCUMENT, "uploaded")
    share_unchecked(client, DOCUMENT, "unopened")
    native = shared(client, recorded.document("rate-limit-feature"))["id"]
    for id in ("uploaded", "unopened", native):
        own(app, "grace", id)
    assert listed(grace, sort="size") == ["uploaded", native, "unopened"]
    page = grace.get("/account/shares", sort="size").text
    assert page.count("size not known yet") == 1
    assert client.get("/share/unopened").status_code == 200
    assert "size not known yet" not in grace.get("/account/shares").text
    assert listed(grace, sort="size") == ["uploaded", "unopened", native]


def test_a_public_page_is_the_same_for_everybody(shares: dict[str, Any], grace: Browser, app: Flask) -> None:
    stranger = app.test_client()
    pages = {browser.get("/share/grace001").data for browser in (stranger, grace, stranger)}
    [page] = pages
    assert b'href="/account/shares/grace001"' in page


def test_others_cannot_manage_a_share(shares: dict[str, Any], grace: Browser, app: Flask) -> None:
    assert grace.get("/account/shares/adas0001").status_code == 403
    assert "Is this yours?" in grace.get("/account/shares/nobodys1").text
    assert grace.get("/account/shares/unknown1").status_code == 404
    assert grace.get("/account/selection", share=["adas0001"]).status_code == 303
    grace.post("/account/selection/change", share=["adas0001", "nobodys1"], audience="members")
    grace.post("/account/selection/delete", share=["adas0001", "nobodys1"])
    stranger = app.test_client()
    for id in ("adas0001", "nobodys1"):
        assert stranger.get(f"/share/{id}").status_code == 200


def test_an_owner_changes_who_may_read(shares: dict[str, Any], grace: Browser, app: Flask) -> None:
    page = grace.get("/account/shares/grace001").text
    assert "Zebra" in page
    assert "https://share.example.com/share/grace001" in page
    done = grace.post(
        "/account/selection/change", share="grace001", audience="members", expires="7d", title="Our zebra"
    )
    assert (done.status_code, done.location) == (303, "/account/shares?done=changed")
    assert "Changed." in grace.get(done.location).text
    assert app.test_client().get("/share/grace001").status_code == 401
    assert "Our zebra" in grace.get("/share/grace001").text
    again = grace.get("/account/shares/grace001").text
    assert "Signed-in members" in again
    assert "<dt>Expires</dt><dd>20" in again
    grace.post("/account/selection/change", share="grace001", audience="link", expires="never", title="")
    assert TITLE in app.test_client().get("/share/grace001").text
    assert "never expires" in grace.get("/account/shares").text


def test_a_password_that_was_made_is_shown_once(shares: dict[str, Any], grace: Browser, app: Flask) -> None:
    page = grace.post("/account/selection/change", share=["grace001", "grace002"], audience="password")
    found = dict(re.findall(r"/share/(\w+)  ([a-z2-9-]{19})", page.text))
    assert set(found) == {"grace001", "grace002"}
    reader = app.test_client()
    for id, password in found.items():
        assert reader.get(f"/share/{id}").status_code == 401
        assert reader.post(f"/share/{id}/password", data={"password": password}).status_code == 303
        assert reader.get(f"/share/{id}").status_code == 200
    assert not set(found.values()) & set(re.findall(r"[a-z2-9-]{19}", grace.get("/account/shares").text))


@pytest.mark.parametrize(
    "fields",
    [
        {"audience": "everybody"},
        {"audience": "password", "password": "short"},
        {"expires": "100y"},
        {"title": "x" * 201},
    ],
)
def test_a_wrong_form_changes_nothing(
    shares: dict[str, Any], grace: Browser, app: Flask, fields: dict[str, str]
) -> None:
    page = grace.post("/account/selection/change", share="grace001", **fields)
    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert app.test_client().get("/share/grace001").status_code == 200


def test_deletion_asks_first_and_is_final(
    shares: dict[str, Any], grace: Browser, app: Flask, audited: pytest.LogCaptureFixture
) -> None:
    reader = app.test_client()
    assert reader.get("/share/grace001").status_code == 200
    page = grace.get("/account/selection/delete", share=["grace001", "grace002"]).text
    assert "Delete 2 shares?" in page
    assert reader.get("/share/grace001").status_code == 200
    done = grace.post("/account/selection/delete", share=["grace001", "grace002"])
    assert "Deleted." in grace.get(done.location).text
    for id in ("grace001", "grace002"):
        assert reader.get(f"/share/{id}").status_code == 404
    assert listed(grace) == []
    with app.app_context():
        assert not [info for info in services().store.list() if "grace00" in info.key]
        row = db.session.get(Share, "grace001")
        assert row
        assert (row.member, row.title, row.custom_title) == (None, None, None)
    assert [entry["event"] for entry in entries(audited)].count("share_deleted") == 2


def test_an_admin_manages_the_shares_of_others(shares: dict[str, Any], root: Browser, app: Flask) -> None:
    assert root.get("/account/shares/adas0001").status_code == 200
    root.post("/account/selection/delete", share=["adas0001", "nobodys1"])
    assert app.test_client().get("/share/adas0001").status_code == 404


def test_a_share_is_claimed_with_its_secret(
    shares: dict[str, Any], grace: Browser, app: Flask, audited: pytest.LogCaptureFixture
) -> None:
    refused = grace.post("/account/shares/nobodys1/claim", secret="wrong")
    assert refused.status_code == 403
    assert "That is not the secret of this share." in refused.text
    assert 'name="secret"' in refused.text
    secret = shares["nobodys1"]["secret"]
    assert grace.post("/account/shares/nobodys1/claim", secret=f" {secret} ").status_code == 303
    assert "nobodys1" in listed(grace)
    ada = Browser(app.test_client(), "ada")
    assert ada.post("/account/shares/nobodys1/claim", secret=secret).status_code == 403
    assert "nobodys1" in listed(grace)
    assert [entry["event"] for entry in entries(audited)] == ["claim_refused", "share_claimed"]
    assert secret not in audited.text


def test_so_many_are_selected_at_once(shares: dict[str, Any], grace: Browser) -> None:
    ids = [f"share{number:03}" for number in range(101)]
    assert grace.post("/account/selection/delete", share=ids).status_code == 400
    assert grace.get("/account/selection", share=["a\0b", "../x"]).status_code == 303


@pytest.mark.parametrize("path", ["/account/selection", "/account/selection/delete"])
def test_who_selects_nothing_is_told_to(grace: Browser, path: str) -> None:
    back = grace.get(path)
    assert back.status_code == 303
    assert "No share is selected" in grace.get(back.location).text


@pytest.mark.parametrize("action", ["change", "delete"])
def test_nothing_is_said_to_be_done_where_nothing_was(
    shares: dict[str, Any], grace: Browser, action: str
) -> None:
    for form in ({"share": "adas0001"}, {}):
        done = grace.post(f"/account/selection/{action}", audience="members", **form)
        assert (done.status_code, done.location) == (303, "/account/shares?done=nothing")


def test_several_shares_are_changed_under_their_titles(shares: dict[str, Any], grace: Browser) -> None:
    page = grace.get("/account/selection", share=["grace001", "grace002"]).text
    assert "<bdi>Zebra</bdi>" in page
    assert "<bdi>apple 100%</bdi>" in page


def test_an_error_leads_back_to_ones_own_shares(shares: dict[str, Any], grace: Browser) -> None:
    page = grace.get("/account/shares/adas0001")
    assert page.status_code == 403
    assert '<a href="/account/shares">My shares</a>' in page.text


def test_what_was_made_with_a_token_is_listed_with_its_name(app: Flask, grace: Browser) -> None:
    program = app.test_client()
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {grace.new_token('build machine')}"
    share(program, DOCUMENT, "bytoken1")
    page = grace.get("/account/shares").text
    assert "with the token <bdi>build machine</bdi>" in page
    assert re.search(r"\d\.\d kB", page)
