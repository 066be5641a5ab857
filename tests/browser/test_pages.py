"""Sessions of several pages: the pages around one come when they are near, and stay where the reader is."""

from __future__ import annotations

import json
import uuid
from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.shares import OpenPage, Shared
from tests.support import recorded

pytest_plugins = ("tests.browser.fixtures",)

TOP = "(element) => element.getBoundingClientRect().top"
TO_END = "scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })"


class LongSession:
    """The recorded session over and over, with ids of its own each time, as it grows."""

    def __init__(self, address: str) -> None:
        self.document: dict[str, Any] = recorded.document("rate-limit-feature")
        self._recorded = self.document["messages"]
        self.document["messages"] = [message for number in range(12) for message in self._again(number)]
        self.shared = Shared.create(address, uuid.uuid4().hex, self._bytes())

    @property
    def path(self) -> str:
        return self.shared.path

    @property
    def last_id(self) -> str:
        return self.document["messages"][-1]["info"]["id"]

    def grow(self) -> None:
        self.document["messages"] += self._again(len(self.document["messages"]))
        self.shared.replace(self._bytes())

    def _again(self, number: int) -> list[dict[str, Any]]:
        messages = deepcopy(self._recorded)
        for message in messages:
            message["info"]["id"] += f"n{number}"
            for part in message["parts"]:
                part["id"] += f"n{number}"
        return messages

    def _bytes(self) -> bytes:
        return json.dumps(self.document).encode()


@pytest.fixture
def session(address: str) -> LongSession:
    return LongSession(address)


def shown(page: Page) -> list[int]:
    return [
        int(id.removeprefix("ui-page-"))
        for id in page.locator(".page").evaluate_all("all => all.map(e => e.id)")
    ]


def scroll_to_the_end(page: Page) -> None:
    """As a reader does who goes on until there is nothing more."""
    while page.locator("#ui-steps ~ .pages [rel=next]").count():
        count = page.locator(".page").count()
        page.evaluate(TO_END)
        expect(page.locator(".page").nth(count)).to_be_attached()


def test_the_whole_session_can_be_scrolled_through(session: LongSession, open_page: OpenPage) -> None:
    page = open_page(session.path)
    assert 1 in shown(page)
    scroll_to_the_end(page)
    numbers = shown(page)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 2
    steps = page.locator(".step[id]").evaluate_all("all => all.map(e => e.id)")
    assert steps == [message["info"]["id"] for message in session.document["messages"]]
    ids = page.locator("[id]").evaluate_all("all => all.map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_what_comes_before_does_not_move_what_is_read(session: LongSession, open_page: OpenPage) -> None:
    page = open_page(f"{session.path}?page=3")
    first = page.locator("#ui-page-3 .step").first
    page.wait_for_load_state("networkidle")
    assert shown(page) == [3]
    top = first.evaluate(TOP)
    page.evaluate("scrollBy({ top: 500, behavior: 'instant' })")
    expect(page.locator("#ui-page-2")).to_be_attached()
    assert abs(first.evaluate(TOP) - (top - 500)) < 2


def test_nothing_comes_before_it_is_near(session: LongSession, open_page: OpenPage) -> None:
    page = open_page(None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(session.path)
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/steps/" in url]
    assert shown(page) == [1]


def test_a_place_on_another_page_is_one_link_away(session: LongSession, open_page: OpenPage) -> None:
    page = open_page(session.path)
    link = page.locator(".contents a").last
    target = (link.get_attribute("href") or "").rpartition("#")[2]
    link.click()
    expect(page.locator(f"[id='{target}']")).to_be_in_viewport()


def test_pages_that_came_later_follow_the_session(session: LongSession, open_page: OpenPage) -> None:
    page = open_page(session.path)
    scroll_to_the_end(page)
    session.document["messages"][-1]["parts"].append(
        {"id": "prt_new", "type": "text", "text": "One more thing."}
    )
    session.grow()
    expect(page.get_by_text("One more thing.")).to_be_attached()
    scroll_to_the_end(page)
    expect(page.locator(f"[id='{session.last_id}']")).to_be_attached()
    numbers = shown(page)
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_is_newer_than_the_page_knows_is_asked_for_once(
    session: LongSession, open_page: OpenPage
) -> None:
    page = open_page(session.path)
    # The page does not learn that its session grows.
    page.route(lambda url: url.endswith(session.path), lambda route: route.abort())
    session.grow()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(TO_END)
    expect(page.locator("#ui-page-2")).to_be_attached()
    page.wait_for_load_state("networkidle")
    steps = [url for url in asked if "/steps/" in url]
    assert len(steps) == len(set(steps))


def test_a_page_that_does_not_come_can_be_gone_to(session: LongSession, open_page: OpenPage) -> None:
    page = open_page(None)

    def fail(route: Route) -> None:
        route.abort()

    page.route("**/steps/*", fail)
    page.goto(session.path)
    page.evaluate(TO_END)
    page.locator("#ui-steps ~ .pages [rel=next]").click()
    expect(page.locator("#ui-page-2")).to_be_attached()


def test_without_the_script_every_page_links_to_the_next(session: LongSession, open_page: OpenPage) -> None:
    page = open_page(session.path, java_script_enabled=False)
    steps: list[str] = []
    while True:
        steps += page.locator(".step[id]").evaluate_all("all => all.map(e => e.id)")
        following = page.locator("#ui-steps ~ .pages [rel=next]")
        if not following.count():
            break
        with page.expect_navigation():
            following.click()
    assert steps == [message["info"]["id"] for message in session.document["messages"]]
