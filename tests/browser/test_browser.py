"""The pages in a real browser: whole, for everyone, from here only, and safe whatever is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.axe import complaints
from tests.browser.shares import OpenPage, Shared, share_id
from tests.support import recorded

pytest_plugins = ("tests.browser.fixtures",)

PHONE = {"width": 375, "height": 700}
UNFOLD = "document.querySelectorAll('main details').forEach((one) => one.open = true)"
WIDTH = "document.documentElement.scrollWidth"

ATTACKS = (
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "[link](javascript:window.hacked=1)",
    "![image](javascript:window.hacked=1)",
    "</code></pre></template><svg onload='window.hacked = 1'>",
    "javascript:window.hacked=1",
    "\" autofocus onfocus='window.hacked = 1' x=\"",
    "<a href='data:text/html,<script>window.hacked = 1</script>'>a</a>",
    "\u202e\u2066<script>window.hacked = 1</script>\u2028\x00\ufeff",
    "\x1b]8;;javascript:window.hacked=1\x1b\\link\x1b]8;;\x1b\\ \x1b[31m<b onclick=1>\x1b[0m",
    "```html\n</code></pre><script>window.hacked = 1</script>\n```",
    "{{ config }} {% raw %} ${window.hacked = 1} <!-- --> ]]>",
    "<iframe srcdoc='<script>parent.hacked = 1</script>'></iframe><base href='https://example.com/'>",
    "https://example.com/\"onmouseover='window.hacked = 1'",
)
# What gives a document its form; all else in it is replaced.
FORM = {"id", "sessionID", "messageID", "parentID", "type", "role", "status", "tool", "shareId", "sessionId"}

TRAPS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""


@pytest.mark.parametrize("name", recorded.NAMES)
def test_a_page_is_whole_without_scripts_and_from_here_only(
    open_page: OpenPage, address: str, name: str
) -> None:
    page = open_page(None, java_script_enabled=False)
    problems: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda message: problems.append(message.text))
    page.on("requestfailed", lambda request: problems.append(request.url))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    response = page.goto(f"/share/{share_id(name)}")
    assert response is not None
    assert response.status == 200
    assert problems == []
    assert hosts <= {urlsplit(address).netloc, ""}
    expect(page.locator(".session-header h1")).to_be_visible()
    expect(page.locator(".controls")).to_be_hidden()
    steps = recorded.document(name)["messages"]
    assert page.locator("#ui-steps .turn > .step").count() >= min(len(steps), 1)


def test_a_tool_call_opens_without_scripts(open_page: OpenPage) -> None:
    page = open_page("/share/rate-limit-feature", java_script_enabled=False)
    call = page.locator("details.tool").first
    body = call.locator(".body")
    expect(body).to_be_hidden()
    call.locator("summary").click()
    expect(body).to_be_visible()


def test_a_permalink_opens_what_is_folded_without_scripts(open_page: OpenPage) -> None:
    page = open_page("/share/rate-limit-feature", java_script_enabled=False)
    link = page.locator("a", has_text="Link to this call").first.get_attribute("href")
    assert link is not None
    page.goto(link)
    target = page.locator(f"#{link.partition('#')[2]}")
    expect(target).to_be_visible()
    expect(target).to_be_in_viewport()


@pytest.mark.parametrize("name", recorded.NAMES)
def test_a_phone_does_not_scroll_sideways(open_page: OpenPage, name: str) -> None:
    page = open_page(f"/share/{share_id(name)}", viewport=PHONE)
    assert page.evaluate(WIDTH) <= PHONE["width"]
    page.evaluate(UNFOLD)
    assert page.evaluate(WIDTH) <= PHONE["width"]


@pytest.mark.parametrize("name", recorded.NAMES)
def test_axe_finds_nothing(open_page: OpenPage, name: str) -> None:
    page = open_page(f"/share/{share_id(name)}", color_scheme="light", reduced_motion="reduce")
    assert complaints(page) == []
    page.emulate_media(color_scheme="dark")
    assert complaints(page) == []


@pytest.mark.parametrize("name", ["tools-gallery", "rate-limit-feature", "subagents"])
def test_axe_finds_nothing_in_what_was_folded(open_page: OpenPage, name: str) -> None:
    page = open_page(f"/share/{name}", color_scheme="light", reduced_motion="reduce")
    page.evaluate(UNFOLD)
    assert complaints(page) == []
    page.emulate_media(color_scheme="dark")
    assert complaints(page) == []


def test_axe_finds_nothing_in_the_help_and_in_what_is_made_later(open_page: OpenPage) -> None:
    page = open_page("/share/tools-gallery", reduced_motion="reduce")
    page.keyboard.press("e")
    page.locator("pre.code:visible").first.hover()
    expect(page.locator(".copy")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#ui-settings")).to_be_visible()
    assert complaints(page) == []


def test_paper_has_the_session_and_no_controls(open_page: OpenPage) -> None:
    page = open_page("/share/rate-limit-feature")
    page.emulate_media(media="print")
    expect(page.locator(".session-header h1")).to_be_visible()
    expect(page.locator(".prompt").first).to_be_visible()
    for chrome in (".topbar", ".contents", ".skip", "#ui-new-content", "#ui-toast"):
        expect(page.locator(chrome)).to_be_hidden()


def test_nothing_in_a_hostile_session_runs(open_page: OpenPage, address: str) -> None:
    shared = Shared.create(address, "hostile", json.dumps(_hostile(cycle(ATTACKS))).encode())
    page = open_page(None, reduced_motion="reduce")
    dialogs: list[str] = []
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.add_init_script(TRAPS)
    page.goto(shared.path)
    assert page.locator("#ui-steps .step").count() > 10
    for key in "ejkt":
        page.keyboard.press(key)
    page.keyboard.press("/")
    page.keyboard.type("<script>")
    # A document that the script takes over must be as harmless as one that the browser loads.
    with page.expect_response(lambda response: response.url.endswith(shared.path) and response.status == 200):
        shared.replace(json.dumps(_hostile(cycle(reversed(ATTACKS)))).encode())
    page.wait_for_load_state("networkidle")
    protocols = page.evaluate("[...new Set([...document.links].map((link) => link.protocol))]")
    assert set(protocols) <= {"http:", "https:"}
    assert (
        page.locator("main :is(script, iframe, base, svg:not(.timeline > svg), object, form, meta)").count()
        == 0
    )
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("violations") == []
    assert (dialogs, errors) == ([], [])
    assert hosts <= {urlsplit(address).netloc, ""}


def _hostile(attacks: Iterator[str]) -> dict[str, Any]:
    """A recorded session of every tool, in which every text is an attack."""
    document = recorded.document("tools-gallery")
    document["messages"] = [_attacked(message, attacks) for message in document["messages"]]
    document["session"]["title"] = next(attacks)
    odd = document["messages"][1]["parts"][0]
    document["messages"][1]["parts"] += [
        {**odd, "id": next(attacks)},
        {**odd, "id": "prt_tool", "type": "tool", "tool": next(attacks), "state": {"status": "completed"}},
        {**odd, "id": "prt_kind", "type": next(attacks)},
    ]
    return document


def _attacked(value: Any, attacks: Iterator[str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _attacked(inner, attacks, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_attacked(inner, attacks, key) for inner in value]
    return next(attacks) if isinstance(value, str) and key not in FORM else value
