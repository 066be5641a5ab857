"""The pages in a real browser: they load whole, and ask nobody else for anything."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests import recorded
from tests.client import SESSION_ID
from tests.servers import missing
from tests.servers.gunicorn import gunicorn

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not shutil.which(CHROMIUM):
        missing("Chromium (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which every recorded session is shared under its name."""
    folder = tmp_path_factory.mktemp("browser")
    with gunicorn(folder, RATELIMIT_ENABLED="false", WEB_CONCURRENCY="2") as address:
        for name in recorded.NAMES:
            upload(address, name.replace(".", "-"), recorded.document_bytes(name))
        yield address


def upload(address: str, share_id: str, document: bytes) -> None:
    body = json.dumps({"shareId": share_id, "sessionId": SESSION_ID, "size": len(document)}).encode()
    with urllib.request.urlopen(f"{address}/api/share/presign", data=body) as response:
        link = json.load(response)
    request = urllib.request.Request(
        link["presignedUrl"], data=document, method="PUT", headers=link["headers"]
    )
    urllib.request.urlopen(request).close()


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, shared: str) -> Iterator[Page]:
    """A page of a browser that runs no scripts: nothing here may need one."""
    context = browser.new_context(color_scheme=request.param, java_script_enabled=False, base_url=shared)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", recorded.NAMES)
def test_a_page_loads_without_a_complaint_and_from_here_only(page: Page, name: str, shared: str) -> None:
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    response = page.goto(f"/share/{name.replace('.', '-')}")
    assert response is not None
    assert response.status == 200
    assert complaints == []
    assert hosts <= {urlsplit(shared).netloc, ""}


def test_a_tool_call_opens_on_a_click(page: Page) -> None:
    page.goto("/share/rate-limit-feature")
    call = page.locator("details.tool").first
    output = call.locator("pre").first
    assert not output.is_visible()
    call.locator("summary").click()
    assert output.is_visible()


@pytest.mark.parametrize("name", ["tools-gallery", "unicode-and-injection", "markdown-torture"])
def test_a_phone_does_not_scroll_sideways(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(f"/share/{name}")
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
