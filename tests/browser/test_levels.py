"""What a reader sees of every recorded session at each level of detail, without a click."""

from __future__ import annotations

import os

import pytest

from app.share.pages.levels import LEVELS
from tests.browser.shares import OpenPage, share_id
from tests.support import recorded
from tests.support.paths import FIXTURES

pytest_plugins = ("tests.browser.fixtures",)

FOLDER = FIXTURES / "outlines"
# A line for each thing that is shown, with `+` before what is folded and `-` before what is open.
OUTLINE = """
() => {
  const told = ".author, .prompt, .failure, .notice, .totals, .file, summary, .prose > *"
  const inside = ".body > :not(.links)"
  const isShown = (element) => element.checkVisibility() && element.getClientRects().length
  const line = (element) => {
    const sign = element.matches("summary") ? (element.parentElement.open ? "- " : "+ ") : "  "
    const copy = element.cloneNode(true)
    for (const part of copy.querySelectorAll(".when, .copy, .state")) part.remove()
    const words = copy.textContent.split(/\\s+/).join(" ").trim().slice(0, 70)
    return words && sign + words
  }
  const found = [...document.querySelectorAll("#ui-page-1 :is(" + told + "," + inside + ")")].filter(isShown)
  return found.map(line).filter(Boolean).join("\\n") + "\\n"
}
"""


@pytest.mark.parametrize("name", recorded.NAMES)
def test_views_have_the_outlines_on_record(open_page: OpenPage, name: str) -> None:
    """After a change that is meant, `UPDATE_OUTLINES=1` writes the new outlines; read the difference."""
    page = open_page(f"/share/{share_id(name)}")
    for level, label in LEVELS.items():
        page.get_by_role("link", name=label, exact=True).click()
        found = page.evaluate(OUTLINE)
        path = FOLDER / f"{name}.{level}.txt"
        if os.environ.get("UPDATE_OUTLINES"):
            path.write_text(found)
        assert found == path.read_text(), level


def test_highlights_tell_what_was_done_and_the_conversation_only_what_was_said() -> None:
    conversation, highlights, everything = (
        (FOLDER / f"rate-limit-feature.{level}.txt").read_text() for level in LEVELS
    )
    assert "exit 1" in highlights
    assert "exit 1" not in conversation
    assert "+ Read 2 files, 2 searches" in highlights
    assert "+ Read 2 files" not in everything
