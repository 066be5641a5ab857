"""A page left open follows its session, and costs little while it does."""

from __future__ import annotations

import json
import uuid
from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.shares import OpenPage, Shared
from tests.support import recorded

pytest_plugins = ("tests.browser.fixtures",)

SECOND = 1000

HIDE = """
(hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden })
  document.dispatchEvent(new Event("visibilitychange"))
}
"""
SELECT = """
(element) => {
  const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT).nextNode()
  getSelection().setBaseAndExtent(text, 0, text, 9)
}
"""
TOP = "(element) => element.getBoundingClientRect().top"


class Session:
    """A recorded session that is uploaded as it grows."""

    def __init__(self, address: str, share_id: str, count: int) -> None:
        self.document: dict[str, Any] = recorded.document("rate-limit-feature")
        self.shared = Shared.create(address, share_id, self._bytes(count))

    @property
    def path(self) -> str:
        return self.shared.path

    def grow(self, count: int | None = None) -> None:
        self.shared.replace(self._bytes(count))

    def _bytes(self, count: int | None) -> bytes:
        document = {**self.document, "messages": self.document["messages"][:count]}
        return json.dumps(document).encode()

    def texts(self, number: int) -> list[dict[str, Any]]:
        return [part for part in self.document["messages"][number]["parts"] if part["type"] == "text"]


@pytest.fixture
def session(address: str) -> Session:
    return Session(address, uuid.uuid4().hex, count=12)


def polls(page: Page, path: str) -> list[Request]:
    """Every time that the page asks whether it has changed."""
    asked: list[Request] = []

    def note(request: Request) -> None:
        if request.url.endswith(path) and request.resource_type == "fetch":
            asked.append(request)

    page.on("request", note)
    return asked


def status(request: Request) -> int:
    """Of the answer, once it is there."""
    response = request.response()
    assert response is not None
    return response.status


def open_stopped(open_page: OpenPage, session: Session) -> Page:
    """The session, with a clock that goes only where it is told to."""
    page = open_page(None)
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.goto(session.path)
    return page


def seconds_to_the_next(asked: list[Request], page: Page) -> int:
    """How long the page's clock goes on until it has asked once more, and been answered."""
    before = len(asked)
    for seconds in range(1, 600):
        page.clock.run_for(SECOND)
        if len(asked) > before:
            asked[-1].response()
            return seconds
    raise AssertionError("it does not ask any more")


def test_new_messages_come_without_moving_the_reader(session: Session, open_page: OpenPage) -> None:
    page = open_page(session.path)
    steps = page.locator("#ui-steps .step[id]")
    before = steps.count()
    call = page.locator("details.tool", has=page.locator(".action:text-is('Todos')")).first
    call.locator("summary").first.click()
    call.locator("summary").first.evaluate("(summary) => summary.scrollIntoView({ behavior: 'instant' })")
    top = call.evaluate(TOP)
    session.document["session"]["title"] = "A new title"
    session.grow()
    expect(steps).to_have_count(len(recorded.document("rate-limit-feature")["messages"]))
    assert before < steps.count()
    assert abs(call.evaluate(TOP) - top) < 2
    expect(call).to_have_attribute("open", "")
    expect(call.locator("summary").first).to_be_focused()
    expect(page.locator(".session-header h1")).to_have_text("A new title")
    expect(page).to_have_title("A new title")
    expect(page.locator(".contents li")).to_have_count(3)

    news = page.get_by_role("button", name="New messages")
    expect(news).to_be_visible()
    news.click()
    expect(steps.nth(before)).to_be_in_viewport()
    expect(news).to_be_hidden()


def test_what_changes_above_moves_nothing_below(session: Session, open_page: OpenPage) -> None:
    page = open_page(session.path)
    seen = page.locator("#ui-steps .turn > .step > .block").last
    page.evaluate("scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    top = seen.evaluate(TOP)
    session.texts(0)[0]["text"] += "\nand more" * 20
    session.grow(12)
    expect(page.locator(".prompt").first).to_contain_text("and more")
    assert abs(seen.evaluate(TOP) - top) < 2


def test_a_selection_outlives_a_text_that_grows(session: Session, open_page: OpenPage) -> None:
    page = open_page(session.path)
    prompt = page.locator(".prompt").first
    prompt.locator("pre").evaluate(SELECT)
    selected = page.evaluate("String(getSelection())")
    assert len(selected) == 9
    session.texts(0)[0]["text"] += " Thank you."
    session.grow(12)
    expect(prompt).to_contain_text("Thank you.")
    assert page.evaluate("String(getSelection())") == selected


def test_a_running_call_ends_while_it_is_open(session: Session, open_page: OpenPage) -> None:
    parts = [part for message in session.document["messages"] for part in message["parts"]]
    part = next(part for part in parts if part.get("tool") == "bash")
    ended = deepcopy(part["state"])
    part["state"] = {"status": "running", "input": ended["input"], "time": {"start": ended["time"]["start"]}}
    session.grow()
    page = open_page(session.path)
    call = page.locator("details.tool", has=page.locator(f"#{part['id']}"))
    call.locator("summary").click()
    expect(call.locator(".state")).to_have_text("running")
    part["state"] = ended
    session.grow()
    expect(call.locator(".state")).to_have_text("completed")
    expect(call).to_have_attribute("open", "")
    expect(call.locator("summary")).to_be_focused()
    expect(call.locator(".screen")).to_contain_text(ended["output"].strip().splitlines()[0])


def test_results_of_a_search_stay_while_the_session_grows(session: Session, open_page: OpenPage) -> None:
    page = open_page(session.path)
    turns = page.locator(".turn").count()
    page.keyboard.press("/")
    page.keyboard.type("limiter")
    result = page.get_by_role("region", name="Results").get_by_role("link").first
    result.focus()
    session.grow()
    expect(page.locator(".turn")).to_have_count(turns + 1)
    expect(result).to_be_focused()


def test_a_removed_share_says_so_and_is_no_longer_shown(session: Session, open_page: OpenPage) -> None:
    page = open_page(session.path)
    asked = polls(page, session.path)
    session.shared.delete()
    expect(page.get_by_role("alert")).to_contain_text("removed")
    expect(page.locator("h1")).to_have_text("This share is gone")
    assert "rate limiting" not in page.inner_html("body")
    # Nothing is asked any more, not even by a reader who comes back to the tab.
    count = len(asked)
    page.clock.install()
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)
    page.clock.run_for(120 * SECOND)
    assert len(asked) == count


def test_polling_is_cheap_and_grows_rare(session: Session, open_page: OpenPage) -> None:
    page = open_stopped(open_page, session)
    asked = polls(page, session.path)
    for _ in range(2):
        assert seconds_to_the_next(asked, page) >= 2
    # After ten quiet minutes, twice a minute.
    page.clock.fast_forward(600 * SECOND)
    seconds_to_the_next(asked, page)
    assert seconds_to_the_next(asked, page) >= 30
    assert {status(request) for request in asked} == {304}


def test_a_hidden_tab_asks_nothing_until_it_is_seen_again(session: Session, open_page: OpenPage) -> None:
    page = open_stopped(open_page, session)
    asked = polls(page, session.path)
    page.evaluate(HIDE, True)
    page.clock.run_for(300 * SECOND)
    assert asked == []
    with page.expect_response(lambda response: response.url.endswith(session.path)):
        page.evaluate(HIDE, False)
        page.clock.run_for(1)


def test_a_server_in_trouble_is_left_in_peace(session: Session, open_page: OpenPage) -> None:
    page = open_stopped(open_page, session)
    asked = polls(page, session.path)
    page.route(f"**{session.path}", lambda route: route.fulfill(status=503, headers={"Retry-After": "60"}))
    seconds_to_the_next(asked, page)
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)
    page.clock.run_for(58 * SECOND)
    assert len(asked) == 1
    page.unroute(f"**{session.path}")
    seconds_to_the_next(asked, page)
    assert [status(request) for request in asked] == [503, 304]


def test_a_page_that_is_no_longer_part_of_the_session_leads_back_to_it(
    session: Session, open_page: OpenPage
) -> None:
    last = session.document["messages"][11]["info"]["id"]
    page = open_page(f"{session.path}/m/{last}")
    session.grow(6)
    page.get_by_role("button", name="This page is gone").click()
    page.wait_for_url(f"**{session.path}")
