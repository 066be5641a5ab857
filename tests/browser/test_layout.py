"""Where text wraps: between words, inside the page, at every width."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.shares import OpenPage, Shared
from tests.support import field

pytest_plugins = ("tests.browser.fixtures",)

WIDTHS = (390, 768, 1280)
LONG = "x" * 400

# The words (runs without a place to break) that stand on more than one line.
BROKEN_WORDS = """
(root) => {
  const broken = []
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    for (const match of walker.currentNode.data.matchAll(/[^\\s\\-/?.…<>]+/g)) {
      const range = document.createRange()
      range.setStart(walker.currentNode, match.index)
      range.setEnd(walker.currentNode, match.index + match[0].length)
      const tops = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top)))
      if (tops.size > 1) broken.push(match[0])
    }
  }
  return broken
}
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true })")


def create(address: str, document: bytes) -> Shared:
    return Shared.create(address, uuid.uuid4().hex, document)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_of_a_table_is_broken(address: str, open_page: OpenPage, width: int) -> None:
    shared = create(address, field.document_bytes("table-words-broken"))
    page = open_page(shared.path, viewport={"width": width, "height": 800})
    assert page.locator(".prose table").count() == 2
    assert page.locator(".prose").evaluate(BROKEN_WORDS) == []
    assert page.evaluate(OVERFLOW) <= 0


def test_a_table_of_two_columns_needs_no_scrolling_on_a_phone(address: str, open_page: OpenPage) -> None:
    text = f"|Lines|What it does|\n|-|-|\n|1|{'a text that wraps ' * 9}|"
    page = open_page(create(address, field.with_answer(text)).path, viewport={"width": 390, "height": 800})
    assert page.locator(".prose .table").evaluate("(box) => box.scrollWidth - box.clientWidth") <= 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["tools-gallery", "rate-limit-feature", "markdown-torture"])
def test_no_word_of_a_page_is_broken(open_page: OpenPage, name: str, width: int) -> None:
    page = open_page(f"/share/{name}", viewport={"width": width, "height": 800})
    unfold(page)
    # Code without spaces that is wider than the page may break.
    broken = page.locator("body").evaluate(BROKEN_WORDS)
    assert [word for word in broken if word.isalpha() and len(word) < 25] == []
    assert page.evaluate(OVERFLOW) <= 0


def test_text_without_spaces_breaks_where_it_would_widen_the_page(address: str, open_page: OpenPage) -> None:
    document: dict[str, Any] = field.document("table-words-broken")
    session, (prompt, answer) = document["session"], document["messages"]
    session["title"], session["directory"] = LONG, f"/{LONG}"
    prompt["parts"][0]["text"] = LONG
    prompt["parts"].append({"type": "file", "url": "file:///x", "filename": LONG, "mime": "text/plain"})
    prompt["parts"].append({"type": "agent", "name": LONG})
    answer["info"] |= {"modelID": LONG, "agent": LONG}
    answer["info"]["error"] = {"name": LONG, "data": {"message": LONG}}
    answer["parts"][0]["text"] = f"{LONG}\n\n`{LONG}`\n\n|a|b|\n|-|-|\n|{LONG}|b|\n\n- {LONG}\n\n> {LONG}"
    for name, input in (("read", {"filePath": LONG}), ("bash", {"command": LONG, "workdir": LONG})):
        state = {"status": "completed", "input": input, "output": LONG, "title": "", "metadata": {}}
        answer["parts"].append({"type": "tool", "tool": name, "state": state})
    shared = create(address, json.dumps(document).encode())
    page = open_page(shared.path, viewport={"width": 390, "height": 800})
    unfold(page)
    assert page.evaluate(OVERFLOW) <= 0
