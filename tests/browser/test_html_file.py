"""A session as one HTML file, opened from a disk without any network."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import complaints
from tests.browser.shares import OpenPage, share_id
from tests.support import recorded
from tests.support.web import fetch

pytest_plugins = ("tests.browser.fixtures",)


def open_file(open_page: OpenPage, path: Path, **options: object) -> tuple[Page, list[str]]:
    """The file in a browser without network, and what it complained about or asked for."""
    page = open_page(None, offline=True, **options)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("request", lambda request: problems.append(request.url))
    page.goto(path.as_uri())
    return page, problems[1:]


def saved(address: str, name: str, folder: Path, arguments: str = "") -> Path:
    status, body = fetch("GET", f"{address}/share/{share_id(name)}.html{arguments}")
    assert status == 200
    path = folder / f"{name}.html"
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["rate-limit-feature", "attachments", "tools-gallery", "markdown-torture"])
def test_it_opens_from_a_disk_and_axe_finds_nothing(
    open_page: OpenPage, address: str, tmp_path: Path, name: str, scheme: str
) -> None:
    path = saved(address, name, tmp_path, "?view=everything")
    page, problems = open_file(open_page, path, color_scheme=scheme)
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    assert page.evaluate("document.querySelectorAll('img').length") == page.evaluate(
        "[...document.images].filter((image) => image.src.startsWith('data:')).length"
    )
    assert problems == []
    assert complaints(page) == []


def test_it_looks_as_on_the_server_and_its_links_work(
    open_page: OpenPage, address: str, tmp_path: Path
) -> None:
    page, problems = open_file(open_page, saved(address, "rate-limit-feature", tmp_path))
    online = open_page("/share/rate-limit-feature")
    colour = "getComputedStyle(document.querySelector('.diff tr.added')).backgroundColor"
    assert page.evaluate(colour) == online.evaluate(colour)
    prompt = page.locator(".contents a").last
    prompt.click()
    target = (prompt.get_attribute("href") or "").removeprefix("#")
    expect(page.locator(f"[id='{target}']")).to_be_in_viewport()
    assert problems == []


def test_on_a_phone_it_is_no_wider_than_the_screen(open_page: OpenPage, address: str, tmp_path: Path) -> None:
    path = saved(address, "tools-gallery", tmp_path)
    page, _ = open_file(open_page, path, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_menu_saves_what_the_reader_sees(open_page: OpenPage) -> None:
    page = open_page("/share/rate-limit-feature")
    page.get_by_role("button", name="Theme and keys").click()
    page.locator("#ui-themes").select_option("dracula")
    page.keyboard.press("Escape")
    page.locator(".levels [data-level=everything]").click()
    page.locator(".export-menu > summary").click()
    with page.expect_download() as download:
        page.locator("#ui-html").click()
    assert download.value.url.endswith("/share/rate-limit-feature.html?view=everything&theme=dracula")
    assert download.value.suggested_filename == "rate-limit-feature.html"
    assert recorded.document("rate-limit-feature")["session"]["title"] in download.value.path().read_text()
