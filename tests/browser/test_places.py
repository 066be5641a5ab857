"""Times, quotes, links to a place, printing, and coming back to where one was."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.shares import OpenPage
from tests.browser.test_reading import CLIPBOARD, listen, wait_until_said

pytest_plugins = ("tests.browser.fixtures",)

LIMITER = "/share/rate-limit-feature"
REVERTED = "/share/reverted"
# A session of several pages.
LONG = "/share/large-output"

# Selects from the beginning of one element to the end of another.
SELECT = """
([first, last]) => {
  const range = document.createRange()
  range.setStartBefore(first)
  range.setEndAfter(last)
  getSelection().removeAllRanges()
  getSelection().addRange(range)
}
"""


def press_and_copy(key: str, page: Page) -> str:
    listen(page)
    page.keyboard.press(key)
    wait_until_said("Copied", page)
    return str(page.evaluate(CLIPBOARD))


def quoted(page: Page, first: Locator, last: Locator) -> str:
    listen(page)
    page.evaluate(SELECT, [first.element_handle(), last.element_handle()])
    page.get_by_role("button", name="Quote").click()
    wait_until_said("Copied", page)
    return str(page.evaluate(CLIPBOARD))


def follow(open_page: OpenPage, address: str) -> Page:
    page = open_page(None)
    page.goto(address)
    return page


def test_times_are_in_the_zone_and_language_of_the_reader(open_page: OpenPage) -> None:
    page = open_page(LIMITER, timezone_id="Asia/Tokyo", locale="de-DE")
    time = page.locator(".facts time")
    expect(time).to_have_text("22.11.2026, 16:01")
    expect(time).to_have_attribute("title", "2026-11-22 07:01 UTC")


def test_answers_say_how_long_after_the_prompt_and_when_on_focus(open_page: OpenPage) -> None:
    page = open_page(LIMITER)
    link = page.locator(".author .when").nth(1)
    assert re.fullmatch(r"after \d[\d.]* m?s", link.inner_text())
    link.focus()
    expect(link.locator("time")).to_be_visible()


def test_without_script_times_are_in_utc(open_page: OpenPage) -> None:
    page = open_page(LIMITER, java_script_enabled=False)
    expect(page.locator(".facts time")).to_have_text("2026-11-22 07:01 UTC")


def test_y_copies_a_link_to_the_message_that_is_read(open_page: OpenPage) -> None:
    page = open_page(LIMITER, permissions=["clipboard-read", "clipboard-write"])
    for _ in range(2):
        page.keyboard.press("j")
    there = follow(open_page, press_and_copy("y", page))
    expect(there.locator(".prompt").nth(1)).to_be_in_viewport()
    expect(there.locator(".prompt").first).not_to_be_in_viewport()


def test_a_copied_link_keeps_the_level_of_detail(open_page: OpenPage) -> None:
    page = open_page(f"{LIMITER}?view=conversation", permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("j")
    address = press_and_copy("y", page)
    assert "view=conversation" in address
    assert follow(open_page, address).evaluate("document.documentElement.dataset.level") == "conversation"


def test_o_expands_one_turn_and_no_other(open_page: OpenPage) -> None:
    page = open_page(LIMITER)
    turns = page.locator(".turn")
    first, second = (turns.nth(n).locator("details.block:not([open])") for n in range(2))
    others = first.count()
    assert second.count()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(second).to_have_count(0)
    expect(first).to_have_count(others)
    page.keyboard.press("o")
    expect(second).to_have_count(turns.nth(1).locator("details.block").count())


def test_u_hides_what_was_undone_and_shows_it_again(open_page: OpenPage) -> None:
    page = open_page(REVERTED)
    undone = page.locator(".undone").first
    expect(undone).to_be_visible()
    page.keyboard.press("u")
    expect(undone).to_be_hidden()
    page.keyboard.press("u")
    expect(undone).to_be_visible()


def test_the_focus_is_not_lost_with_what_a_level_hides(open_page: OpenPage) -> None:
    page = open_page(LIMITER)
    page.locator(".tool.edit > summary").first.focus()
    page.keyboard.press("v")
    page.keyboard.press("v")
    assert page.evaluate("document.documentElement.dataset.level") == "conversation"
    assert page.evaluate("document.activeElement.closest('.turn') !== null")


def test_a_quote_has_the_text_and_a_link_that_finds_it(open_page: OpenPage) -> None:
    page = open_page(LIMITER, permissions=["clipboard-read", "clipboard-write"])
    passage = page.locator(".prose li").last
    quote = quoted(page, passage, passage)
    text, _, link = quote.rpartition("\n\n")
    assert text == "> " + passage.inner_text()
    there = follow(open_page, link)
    expect(there.locator(".prose li").last).to_be_in_viewport()


def test_a_quote_of_several_paragraphs_is_found_by_its_ends(open_page: OpenPage) -> None:
    page = open_page(LIMITER, permissions=["clipboard-read", "clipboard-write"])
    items = page.locator(".prose ul li")
    quote = quoted(page, items.first, items.last)
    assert all(line.startswith(">") for line in quote.split("\n\n")[0].split("\n"))
    there = follow(open_page, quote.rpartition("\n\n")[2])
    expect(there.locator(".prose ul li").first).to_be_in_viewport()


def test_nothing_but_the_session_is_quoted(open_page: OpenPage) -> None:
    page = open_page(LIMITER)
    prompt, title = page.locator(".prompt").first, page.locator("h1")
    page.evaluate(SELECT, [prompt.element_handle(), prompt.element_handle()])
    expect(page.get_by_role("button", name="Quote")).to_be_visible()
    page.evaluate(SELECT, [title.element_handle(), title.element_handle()])
    expect(page.get_by_role("button", name="Quote")).to_be_hidden()


def test_paper_shows_highlights_with_short_things_unfolded(open_page: OpenPage) -> None:
    page = open_page(f"{LIMITER}?view=conversation")
    folded = page.locator(".session details:not([open])")
    before = folded.count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.level") == "highlights"
    texts = folded.evaluate_all("all => all.map((each) => each.textContent.length)")
    assert all(length > 2000 for length in texts)
    assert len(texts) < before
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.level") == "conversation"
    expect(folded).to_have_count(before)


def test_the_back_button_returns_to_the_same_place(open_page: OpenPage) -> None:
    page = open_page(LONG)
    page.locator("#ui-page-2").wait_for()
    page.locator("#ui-page-2 .step").last.scroll_into_view_if_needed()
    page.locator("#ui-page-3").wait_for()
    page.locator("#ui-page-3 .step").first.evaluate("step => step.scrollIntoView()")
    here = page.locator("#ui-page-3 .step").first.get_attribute("id")
    page.evaluate("location.assign('/')")
    page.locator("#ui-steps").wait_for(state="detached")
    page.go_back()
    expect(page.locator(f"[id='{here}']")).to_be_in_viewport()
