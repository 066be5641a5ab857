"""The pages of members in a browser, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.axe import complaints
from tests.browser.shares import Shared
from tests.support import recorded
from tests.support.patience import patience
from tests.support.servers.gunicorn import gunicorn
from tests.support.servers.openid import CLIENT, openid_provider
from tests.support.web import fetch

pytest_plugins = ("tests.browser.fixtures",)

DOCUMENT = recorded.document_bytes("rate-limit-feature")
TITLE = "Add per-client rate limiting"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# A person at the provider, and what it says of them.
GRACE = {"4711": {"name": "Grace", "email": "grace@example.com", "email_verified": True}}

OpenFor = Callable[..., Page]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose people sign in at a provider."""
    with openid_provider(tmp_path_factory.mktemp("provider"), GRACE) as issuer:
        settings = {**CLIENT, "OIDC_ISSUER": issuer, "OIDC_ALLOW": "@example.com"}
        folder = tmp_path_factory.mktemp("account")
        with gunicorn(folder, RATELIMIT_ENABLED="false", WEB_CONCURRENCY="2", **settings) as address:
            yield address


@pytest.fixture
def open_signed_in(browser: Browser, address: str) -> Iterator[OpenFor]:
    """Opens a page in a browser with the options given, whose reader signs in on the way."""
    contexts: list[BrowserContext] = []

    def open_signed_in(path: str, **options: object) -> Page:
        contexts.append(browser.new_context(base_url=address, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(patience(30) * 1000)
        page.goto(path)
        sign_in(page)
        expect(page).to_have_url(re.compile(re.escape(f"{address}{path}") + "$"))
        return page

    yield open_signed_in
    for context in contexts:
        context.close()


def sign_in(page: Page) -> None:
    """What somebody does at the provider."""
    page.locator("input[name=sub]").fill("4711")
    page.locator("input[name=sub]").press("Enter")


def shared_by(page: Page, address: str, share_id: str) -> Shared:
    """A share that was made with a new token of the person whose page it is."""
    page.goto("/account/tokens")
    page.get_by_label("Name").fill(f"for {share_id}")
    page.get_by_role("button", name="Create token").click()
    token = page.get_by_role("region", name="The new token").inner_text().strip()
    return Shared.create(f"{address}/t/{token}", share_id, DOCUMENT)


def test_a_link_for_members_leads_to_the_sign_in_and_back_to_its_place(
    browser: Browser, address: str, open_signed_in: OpenFor
) -> None:
    shared = Shared.create(address, "members1", DOCUMENT)
    url, secret = f"{address}/api/share/{shared.share_id}", {"X-Share-Secret": shared.secret}
    assert fetch("PATCH", url, {"audience": "members"}, headers=secret)[0] == 200
    page = open_signed_in(f"{shared.path}/changes?diff=split")
    expect(page).to_have_title(re.compile(TITLE))
    page.goto("/account/shares")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.goto(shared.path)
    expect(page.locator("input[name=sub]")).to_be_visible()


@pytest.mark.parametrize("with_script", [True, False])
def test_a_share_is_found_changed_and_deleted(
    address: str, open_signed_in: OpenFor, with_script: bool
) -> None:
    page = open_signed_in("/account/tokens", java_script_enabled=with_script)
    shared = shared_by(page, address, f"managed{with_script:d}")
    fetch("GET", f"{address}{shared.path}")
    page.goto(shared.path)
    page.locator(".export-menu > summary").click()
    page.get_by_role("link", name="Change or delete it").click()
    page.get_by_label("Title").fill(f"What we decided {with_script}")
    page.get_by_label("Who may read").select_option("Those who know the password")
    page.get_by_role("button", name="Save").click()
    password = page.get_by_role("region", name="Passwords").inner_text().split()[-1]
    assert re.fullmatch(r"[a-z2-9-]{19}", password)
    page.goto("/account/shares")
    page.get_by_label("Title or project").fill(f"decided {with_script}")
    page.get_by_role("button", name="Show").click()
    box = page.get_by_role("checkbox")
    expect(box).to_have_count(1)
    box.check()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete 1 share?")
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    assert fetch("GET", f"{address}{shared.path}")[0] == 404


def test_a_token_is_copied(address: str, open_signed_in: OpenFor) -> None:
    page = open_signed_in("/account/tokens", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Name").fill("copied")
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Copy: Line for your shell").click()
    expect(page.get_by_role("status").last).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"export BETTER_SHARE_TOKEN=bs_[A-Za-z0-9]{40}", copied.strip())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    address: str, open_signed_in: OpenFor, scheme: str, options: dict[str, object]
) -> None:
    page = open_signed_in("/account/shares", color_scheme=scheme, **options)
    id = f"axe{scheme}{len(options)}"
    shared = shared_by(page, address, id)
    fetch("GET", f"{address}{shared.path}")
    anonymous = Shared.create(address, f"claim{scheme}{len(options)}", DOCUMENT)
    places = [
        None,
        "/account/tokens",
        "/account/shares",
        "/account/shares?q=nothing+like+that",
        f"/account/shares/{id}",
        f"/account/selection/delete?share={id}",
        f"/account/shares/{anonymous.share_id}",
    ]
    for place in places:
        if place:
            page.goto(place)
        assert complaints(page) == [], place
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, place


def test_without_a_mouse_everything_can_be_reached(address: str, open_signed_in: OpenFor) -> None:
    page = open_signed_in("/account/shares")
    names = []
    for _ in range(8):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name")
        )
    assert {"Shares", "Tokens", "Sign out everywhere", "q", "Show"} <= set(names)
