"""axe-core: what it finds wrong with a page."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests.support.optional import AXE, require

SCRIPT = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"

RUN = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false })
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any }) =>
    `${id}: ${target} ${any[0]?.message ?? ""}`))
}
"""


def complaints(page: Page) -> list[str]:
    """What is wrong, a line for each element; of all rules, those of WCAG A and AA and best practice."""
    # A policy without inline scripts lets no script tag in.
    page.evaluate(_source() + ";0")
    found: list[str] = page.evaluate(RUN)
    return found


@cache
def _source() -> str:
    require(AXE)
    return SCRIPT.read_text()
