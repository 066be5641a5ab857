"""Search in a browser: on its own page without scripts, and in place while a reader types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import complaints
from tests.browser.shares import OpenPage
from tests.support.paths import ROOT

pytest_plugins = ("tests.browser.fixtures",)

GALLERY = "/share/tools-gallery"
LIMITER = "/share/rate-limit-feature"


def results(page: Page):  # type: ignore[no-untyped-def]
    return page.get_by_role("region", name="Results").get_by_role("link")


def test_the_script_is_small() -> None:
    assert len((ROOT / "app" / "static" / "search.js").read_bytes()) < 4 * 1024


def test_without_scripts_a_form_leads_to_the_results(open_page: OpenPage) -> None:
    page = open_page(LIMITER, java_script_enabled=False)
    page.get_by_role("searchbox").fill("tool:bash git")
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=tool%3Abash\+git$"))
    page.locator(".results a").first.click()
    expect(page.locator(":target")).to_be_visible()


def test_results_appear_while_typing_and_the_arrows_walk_through_them(open_page: OpenPage) -> None:
    page = open_page(LIMITER)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    # Letters that are keys elsewhere are only letters here.
    page.keyboard.type("retry-after")
    expect(results(page).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(results(page).nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(results(page).nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(results(page)).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.get_by_role("searchbox")).not_to_be_focused()


def test_a_result_on_the_page_opens_what_is_folded_and_keeps_the_results(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    page.evaluate("window.isSamePage = true")
    page.get_by_role("searchbox").fill("tool:grep")
    results(page).first.click()
    call = page.locator("details.tool", has=page.locator(":target")).last
    expect(call).to_have_attribute("open", "")
    expect(call.locator("summary").first).to_be_in_viewport()
    assert page.evaluate("window.isSamePage")
    expect(results(page).first).to_be_visible()


def test_a_result_is_shown_at_a_level_that_hides_it(open_page: OpenPage) -> None:
    page = open_page(f"{LIMITER}?view=conversation")
    page.get_by_role("searchbox").fill("tool:bash git")
    results(page).first.click()
    expect(page.locator(":target")).to_be_visible()


def test_a_search_that_runs_already_is_tried_again(open_page: OpenPage) -> None:
    page = open_page(LIMITER)
    refused: list[str] = []

    def refuse_once(route) -> None:  # type: ignore[no-untyped-def]
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=429, headers={"Retry-After": "1"}, body="")

    page.route("**/search?q=*", refuse_once)
    page.get_by_role("searchbox").fill("limiter")
    expect(results(page).first).to_be_visible()
    assert refused


def test_more_results_take_the_place_of_the_first(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    page.get_by_role("searchbox").fill("e")
    results(page).filter(has_text="More results").click()
    first = results(page).first
    expect(first).to_be_focused()
    expect(first).not_to_have_text("More results")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [820, 1280])
def test_axe_finds_nothing(open_page: OpenPage, scheme: str, width: int) -> None:
    page = open_page(LIMITER, color_scheme=scheme, viewport={"width": width, "height": 900})
    page.get_by_role("searchbox").fill("limiter")
    expect(results(page).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.get_by_role("region", name="Results").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert complaints(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_a_page_of_its_own_for_the_search(open_page: OpenPage, scheme: str) -> None:
    page = open_page(LIMITER, color_scheme=scheme, viewport={"width": 390, "height": 900})
    page.get_by_role("link", name="Search").click()
    page.get_by_role("searchbox").fill("limiter")
    page.keyboard.press("Enter")
    expect(page.locator("#ui-results a").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints(page) == []
