"""The changes of a session in a browser: readable at any width, in the layout that the reader chose."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import complaints
from tests.browser.shares import OpenPage

pytest_plugins = ("tests.browser.fixtures",)

UNFOLD = "document.querySelectorAll('main details').forEach((one) => one.open = true)"
WIDTH = "document.documentElement.scrollWidth"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("arguments", ["", "?diff=split", "/1", "/1?diff=split"])
@pytest.mark.parametrize("name", ["rate-limit-feature", "apply-patch"])
def test_axe_finds_nothing(open_page: OpenPage, name: str, arguments: str, scheme: str) -> None:
    page = open_page(f"/share/{name}/changes{arguments}", color_scheme=scheme)
    page.evaluate(UNFOLD)
    assert complaints(page) == []


@pytest.mark.parametrize("width", [390, 820, 1280, 1920])
@pytest.mark.parametrize("arguments", ["", "?diff=split", "/1", "/1?diff=split"])
def test_no_page_is_wider_than_the_screen(open_page: OpenPage, arguments: str, width: int) -> None:
    page = open_page(
        f"/share/rate-limit-feature/changes{arguments}",
        java_script_enabled=False,
        viewport={"width": width, "height": 900},
    )
    assert page.evaluate(WIDTH) <= width


def test_side_by_side_is_one_column_on_a_phone_with_what_was_removed_first(open_page: OpenPage) -> None:
    lines = """
        [...document.querySelector(".split tbody.change:has(.removed)").querySelectorAll(".text")]
            .filter((cell) => cell.getClientRects().length)
            .sort((one, other) => one.getBoundingClientRect().top - other.getBoundingClientRect().top)
            .map((cell) => [cell.getBoundingClientRect().left, cell.classList.contains("added")])
    """
    address = "/share/rate-limit-feature/changes?diff=split"
    narrow = open_page(address, viewport={"width": 390, "height": 800}).evaluate(lines)
    wide = open_page(address, viewport={"width": 1280, "height": 800}).evaluate(lines)
    assert len({left for left, _ in narrow}) == 1
    assert len({left for left, _ in wide}) == 2
    assert [is_added for _, is_added in narrow] == sorted(is_added for _, is_added in narrow)


def test_the_layout_is_remembered_on_the_device(open_page: OpenPage) -> None:
    page = open_page("/share/rate-limit-feature/changes")
    page.get_by_role("link", name="Side by side").click()
    page.wait_for_url("**/changes?diff=split")
    page.goto("/share/apply-patch/changes#ui-file-2")
    page.wait_for_url("**/changes?diff=split#ui-file-2")
    expect(page.locator(".split").first).to_be_attached()
    page.get_by_role("link", name="Unified").click()
    page.wait_for_url("**/changes")
    page.goto("/share/rate-limit-feature/changes/1")
    expect(page.locator(".diff").first).to_be_attached()
    assert page.url.endswith("/changes/1")


def test_the_tree_leads_to_a_file_also_to_one_that_is_folded(open_page: OpenPage) -> None:
    page = open_page("/share/rate-limit-feature/changes")
    page.evaluate("document.querySelector('#ui-file-5 > details').open = false")
    page.locator(".file-tree").get_by_role("link", name="test_rate_limit.py").click()
    expect(page.locator("#ui-file-5 .diff")).to_be_visible()
    expect(page.locator("#ui-file-5")).to_be_in_viewport()
