"""A private session in a browser: its form, and what comes after the password."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import expect

from tests.browser.axe import complaints
from tests.browser.shares import OpenPage, Shared
from tests.support import recorded
from tests.support.web import fetch

pytest_plugins = ("tests.browser.fixtures",)

PASSWORD = "a long password"


@pytest.fixture
def private(address: str) -> Shared:
    shared = Shared.create(address, uuid.uuid4().hex, recorded.document_bytes("rate-limit-feature"))
    url, secret = f"{address}/api/share/{shared.share_id}", {"X-Share-Secret": shared.secret}
    assert fetch("PATCH", url, {"password": PASSWORD}, headers=secret)[0] == 200
    return shared


@pytest.mark.parametrize("with_script", [True, False])
def test_the_password_leads_to_the_very_page(open_page: OpenPage, private: Shared, with_script: bool) -> None:
    page = open_page(f"{private.path}/changes?diff=split", java_script_enabled=with_script)
    expect(page).to_have_title("A private session")
    field = page.get_by_label("Password")
    expect(field).to_be_focused()
    field.fill("a wrong password")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Show the session").click()
    expect(page).to_have_url(f"{private.address}{private.path}/changes?diff=split")
    expect(page).not_to_have_title("A private session")


def test_pages_that_are_loaded_later_come_with_the_cookie(open_page: OpenPage, private: Shared) -> None:
    page = open_page(private.path)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button").click()
    page.get_by_text("Continue in OpenCode").click()
    page.get_by_role("link", name="Get a link for OpenCode").click()
    expect(page.locator("pre.code")).to_contain_text(f"/share/{private.share_id}_")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_form(open_page: OpenPage, private: Shared, scheme: str) -> None:
    page = open_page(private.path, color_scheme=scheme)
    assert complaints(page) == []
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert complaints(page) == []
