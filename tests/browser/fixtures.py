"""What the tests in a real browser share: Chromium, a server with every recorded session, readers' pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.shares import OpenPage, Shared, share_id
from tests.support import recorded
from tests.support.optional import CHROMIUM_BROWSER, require
from tests.support.patience import patience
from tests.support.servers.chromium import CHROMIUM, FLAGS
from tests.support.servers.gunicorn import gunicorn

# In milliseconds: a busy machine takes its time, and what never comes fails all the same.
PATIENCE = patience(30) * 1000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require(CHROMIUM_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which every recorded session is shared under its name."""
    folder = tmp_path_factory.mktemp("browser")
    with gunicorn(folder, RATELIMIT_ENABLED="false", WEB_CONCURRENCY="2") as address:
        for name in recorded.NAMES:
            Shared.create(address, share_id(name), recorded.document_bytes(name))
        yield address


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Opens a page, or an empty tab, for a new reader, whose browser has the options given."""
    contexts: list[BrowserContext] = []

    def open_page(path: str | None, **options: object) -> Page:
        contexts.append(browser.new_context(base_url=address, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        if path:
            response = page.goto(path)
            assert response is not None
            assert response.ok
        return page

    yield open_page
    for context in contexts:
        context.close()
