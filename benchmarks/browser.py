"""What a reader waits for, measured in Chromium."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.processes import MB, held_bytes
from benchmarks.sessions import LAST_WORDS
from tests.support.servers.chromium import CHROMIUM, FLAGS

TIMEOUT_MILLISECONDS = 30_000
# How long a page that can be read may go on working before its memory and its long tasks are counted.
SETTLE_MILLISECONDS = 1_000

WATCH = """
window.benchmark = {longTasks: []}
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) benchmark.longTasks.push(task.duration)
}).observe({type: "longtask", buffered: true})
"""
# When the last words stand in the window and a frame has been drawn since; null where that never happens.
WATCH_LAST_WORDS = """
(([id, words, timeout]) => {
  const isReadable = () => {
    const last = document.getElementById(id)?.closest("section") ?? document.getElementById(id)
    if (!last || !last.textContent.includes(words)) return false
    const {top, bottom, height} = last.getBoundingClientRect()
    return height > 0 && top < innerHeight && bottom > 0
  }
  benchmark.readable = new Promise((resolve) => {
    const look = () => {
      if (performance.now() > timeout) return resolve(null)
      if (!isReadable()) return requestAnimationFrame(look)
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
    }
    requestAnimationFrame(look)
  })
})"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
BLOCKED = "benchmark.longTasks.reduce((sum, task) => sum + Math.max(0, task - 50), 0)"


@contextmanager
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        sys.exit(
            f"There is no {CHROMIUM}: apt-get install chromium, or leave it out: "
            "make bench OPTIONS=--without-browser"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def watch_reader(browser: Browser, url: str, last_id: str, runs: int) -> dict[str, float | None]:
    """Medians of several visits, each with empty caches, to the first page and to the last message."""
    arrivals = [_visit(browser, f"{url}/m/{last_id}#{last_id}", last_id) for _ in range(runs)]
    paints = [_visit(browser, url) for _ in range(runs)]
    return {
        "first_paint_ms": _median(paints, "first_paint"),
        **{
            f"{name}{unit}": _median(arrivals, name)
            for name, unit in (("last_turn", "_ms"), ("blocking", "_ms"), ("browser", "_mb"), ("heap", "_mb"))
        },
    }


def _visit(browser: Browser, url: str, last_id: str = "") -> dict[str, float | None]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        page.add_init_script(WATCH)
        if last_id:
            page.add_init_script(f"{WATCH_LAST_WORDS}({[last_id, LAST_WORDS, TIMEOUT_MILLISECONDS]!r})")
        page.goto(url, timeout=TIMEOUT_MILLISECONDS)
        readable = page.evaluate("benchmark.readable") if last_id else None
        page.wait_for_timeout(SETTLE_MILLISECONDS)
        return {
            "first_paint": page.evaluate(FIRST_PAINT),
            "last_turn": readable,
            "blocking": page.evaluate(BLOCKED),
            "browser": _largest_renderer_bytes(browser) / MB,
            "heap": _heap_bytes(page) / MB,
        }
    finally:
        context.close()


def _heap_bytes(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    metrics = {found["name"]: found["value"] for found in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"])


def _largest_renderer_bytes(browser: Browser) -> int:
    """The memory of the process that lays out and draws the page."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return max(held_bytes(found["id"]) for found in processes if found["type"] == "renderer")


def _median(visits: list[dict[str, float | None]], name: str) -> float | None:
    values = [value for visit in visits if (value := visit[name]) is not None]
    return float(statistics.median(values)) if len(values) == len(visits) else None
