"""Reading with the script: keys, folding, permalinks, copying, themes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.shares import OpenPage, Shared
from tests.support import recorded
from tests.support.paths import ROOT

pytest_plugins = ("tests.browser.fixtures",)

GALLERY = "/share/tools-gallery"
LIMITER = "/share/rate-limit-feature"
SCRIPT = ROOT / "app" / "static" / "session.js"
PAPER = "getComputedStyle(document.body).backgroundColor"
DRACULA = "rgb(40, 42, 54)"
CLIPBOARD = "navigator.clipboard.readText()"

LISTEN = """
() => {
  const toast = document.getElementById("ui-toast")
  window.said_ = []
  new MutationObserver(() => said_.push(toast.textContent)).observe(toast, { childList: true })
}
"""

# The colour of the page in every frame, from the first.
FRAMES = """
window.frames_ = [];
const note = () => {
  if (document.body) frames_.push(getComputedStyle(document.body).backgroundColor);
  requestAnimationFrame(note);
};
requestAnimationFrame(note);
"""

SWITCH = """
async () => {
  const paper = () => getComputedStyle(document.body).backgroundColor
  const themes = document.getElementById("ui-themes")
  const durations = []
  for (const name of ["nord", "dracula", "nord", "dracula", "nord", "dracula"]) {
    const [before, start] = [paper(), performance.now()]
    themes.value = name
    themes.dispatchEvent(new Event("change"))
    while (paper() === before) await new Promise(requestAnimationFrame)
    durations.push(performance.now() - start)
  }
  return Math.min(...durations)
}
"""


def current_turn(page: Page) -> str:
    return page.evaluate("document.activeElement.textContent")


def listen(page: Page) -> None:
    """Notes what the page says to the reader; it says so for two seconds only."""
    page.evaluate(LISTEN)


def wait_until_said(words: str, page: Page) -> None:
    page.wait_for_function("(words) => said_.includes(words)", arg=words)


def copied(what: str, page: Page, place: Locator) -> str:
    """What the button at a place copies, which comes there with the pointer if it is not there already."""
    listen(page)
    place.hover()
    place.get_by_role("button", name=f"Copy {what}").click()
    wait_until_said("Copied", page)
    return str(page.evaluate(CLIPBOARD))


def test_the_script_is_small() -> None:
    assert len(SCRIPT.read_bytes()) < 16 * 1024


def test_j_and_k_go_from_prompt_to_prompt(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    for expected in ("Turn 1", "Turn 2", "Turn 3"):
        page.keyboard.press("j")
        assert current_turn(page) == expected
        expect(page.locator(".turn", has=page.locator(":focus")).locator(".prompt").first).to_be_in_viewport()
    page.keyboard.press("k")
    assert current_turn(page) == "Turn 2"
    # The last prompts are too short to come to the top of the window.
    turns = page.locator(".turn h2").all_text_contents()
    for _ in turns:
        page.keyboard.press("j")
    assert current_turn(page) == turns[-1]
    page.keyboard.press("k")
    assert current_turn(page) == turns[-2]


def test_the_table_of_contents_marks_the_prompt_being_read(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    marked = page.locator(".contents [aria-current]")
    for _ in range(2):
        page.keyboard.press("j")
    expect(marked).to_have_text("Now read and search files.")
    page.keyboard.press("j")
    expect(marked).to_have_text("Change some files.")
    expect(marked).to_have_count(1)


def test_keys_with_modifiers_are_left_alone(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    folded = page.locator("details.block:not([open])")
    count = folded.count()
    for key in ("Control+e", "Alt+j", "Meta+t"):
        page.keyboard.press(key)
    expect(folded).to_have_count(count)
    expect(page.locator("#ui-themes")).to_have_value("auto")


def test_everything_opens_and_closes_at_once(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    folded = page.locator("details.block:not([open])")
    count = folded.count()
    assert count > 20
    page.keyboard.press("j")
    page.keyboard.press("j")
    before = page.locator("#ui-turn-1-2").bounding_box()
    page.keyboard.press("e")
    expect(folded).to_have_count(0)
    # What the reader looks at stays where it is, whatever opens above.
    assert before is not None
    assert abs(page.locator("#ui-turn-1-2").bounding_box()["y"] - before["y"]) < 2  # type: ignore[index]
    page.get_by_role("button", name="Collapse").click()
    expect(folded).to_have_count(count)


def test_the_help_tells_the_keys(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_permalink_opens_and_shows_what_it_leads_to(open_page: OpenPage) -> None:
    page = open_page(GALLERY)
    [first, second] = page.locator('a:text("Link to this call")').evaluate_all(
        "(links) => [links[3], links.at(-1)].map((link) => link.getAttribute('href'))"
    )
    page.goto(first)
    expect_target(page, first)
    # The same page, another fragment.
    page.evaluate("(hash) => { location.hash = hash }", second.partition("#")[2])
    expect_target(page, second)


def expect_target(page: Page, link: str) -> None:
    target = page.locator(f"#{link.partition('#')[2]}")
    call = page.locator("details.block", has=target).last
    expect(target).to_be_visible()
    expect(call.locator("summary").first).to_be_in_viewport()
    expect(call).to_have_css("outline-style", "solid")


def test_a_permalink_into_a_sub_agent_opens_both(open_page: OpenPage, address: str) -> None:
    children = [recorded.document(f"subagents.child{number}") for number in (1, 2, 3, 4)]
    document = {**recorded.document("subagents"), "children": children}
    shared = Shared.create(address, "with-children", json.dumps(document).encode())
    page = open_page(shared.path)
    inner = page.locator(".child details.tool > .body").first.get_attribute("id")
    page.goto(f"{shared.path}#{inner}")
    expect(page.locator(f"#{inner}")).to_be_visible()


def test_what_is_copied(open_page: OpenPage) -> None:
    page = open_page(LIMITER, permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("e")

    code = copied("code", page, page.locator(".prose .listing", has_text="HTTP/1.1 429"))
    assert code.startswith("HTTP/1.1 429 Too Many Requests\nContent-Type")
    assert code.rstrip().endswith('{"error": "rate limited", "retry_after": 60}')

    call = page.locator("details.tool", has=page.get_by_text("git diff --stat && git status --short"))
    assert copied("command", page, call.locator(".links").last) == "git diff --stat && git status --short"

    assert copied("message", page, page.locator(".author").first).startswith(
        "Add rate limiting to the API: at most"
    )

    # An answer comes as the markdown it was written in, whatever tools were called in between.
    answer = page.locator(".turn").nth(1).locator(".author").nth(1)
    assert re.search(r"\*strings\*.*`str\(\)`", copied("message", page, answer))


def test_code_is_copied_without_line_numbers_and_diffs_as_they_became(open_page: OpenPage) -> None:
    page = open_page(LIMITER, permissions=["clipboard-read", "clipboard-write"])
    page.keyboard.press("e")
    read = page.locator("details.tool", has=page.locator(".action:text-is('Read')")).first
    code = copied("code", page, read.locator(".scroll"))
    assert "import" in code
    assert not re.search(r"(?m)^\s*\d+[\t:|]", code)

    diff = page.locator(".diff", has=page.locator("tr.removed")).first
    removed = diff.locator("tr.removed .text").first.text_content()
    added = diff.locator("tr.added .text").first.text_content()
    lines = copied("code", page, diff.locator(".scroll")).split("\n")
    assert added in lines
    assert removed not in lines


def test_copying_needs_no_pointer(open_page: OpenPage) -> None:
    page = open_page(LIMITER, permissions=["clipboard-read", "clipboard-write"])
    listen(page)
    code = page.locator(".prose pre.code").first
    code.focus()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Copy code").first).to_be_focused()
    page.keyboard.press("Enter")
    wait_until_said("Copied", page)
    assert page.evaluate(CLIPBOARD) == code.text_content()
    # The other button comes with the focus.
    listen(page)
    page.keyboard.press("e")
    scroll = page.locator("details.tool .scroll").first
    scroll.focus()
    page.keyboard.press("Tab")
    expect(scroll.get_by_role("button", name="Copy code")).to_be_focused()
    page.keyboard.press("Enter")
    wait_until_said("Copied", page)


def test_code_has_no_copy_button_without_the_script(open_page: OpenPage) -> None:
    page = open_page(LIMITER, java_script_enabled=False)
    expect(page.locator(".prose .listing .bar").first).to_be_visible()
    expect(page.locator(".copy:visible")).to_have_count(0)


def test_copying_works_where_browsers_have_no_clipboard(open_page: OpenPage) -> None:
    page = open_page(None, permissions=["clipboard-read", "clipboard-write"])
    page.add_init_script("Clipboard.prototype.write = undefined")
    page.goto(LIMITER)
    listen(page)
    page.get_by_role("button", name="Copy code").first.click()
    wait_until_said("Copied", page)
    assert page.evaluate(CLIPBOARD) == page.locator(".prose pre.code").first.text_content()


def test_a_theme_is_remembered_and_there_from_the_first_frame(open_page: OpenPage) -> None:
    page = open_page(GALLERY, color_scheme="light")
    page.get_by_role("button", name="Theme and keys").click()
    page.get_by_role("combobox", name="Theme").select_option("Dracula")
    page.wait_for_function(f"() => {PAPER} === '{DRACULA}'")
    page.add_init_script(FRAMES)
    # Also on pages without the controls.
    for path in (GALLERY, "/share/nothing-here"):
        page.goto(path)
        page.wait_for_function("() => window.frames_.length > 3")
        assert set(page.evaluate("frames_")) == {DRACULA}
    page.goto(GALLERY)
    page.get_by_role("button", name="Theme and keys").click()
    expect(page.get_by_role("combobox", name="Theme")).to_have_value("dracula")
    page.get_by_role("combobox", name="Theme").select_option("System theme")
    page.wait_for_function(f"() => {PAPER} === 'rgb(255, 255, 255)'")


def test_a_switch_of_themes_takes_one_stylesheet(open_page: OpenPage, report: Callable[[str], None]) -> None:
    page = open_page(GALLERY)
    listen(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("t")
    wait_until_said("Theme: Paper", page)
    page.wait_for_load_state("networkidle")
    assert [urlsplit(url).path for url in asked if "/themes/" in url] == ["/themes/paper.css"]
    report(f"a switch of themes took {page.evaluate(SWITCH):.0f} ms")


def test_a_theme_that_is_gone_gives_way_to_the_systems(open_page: OpenPage) -> None:
    page = open_page(GALLERY, color_scheme="light")
    page.evaluate("localStorage.setItem('theme', 'no-longer-there')")
    page.reload()
    page.wait_for_function(f"() => {PAPER} === 'rgb(255, 255, 255)'")


def test_the_level_of_detail_is_remembered_and_keeps_the_place(open_page: OpenPage) -> None:
    # So low that the page is long enough to keep the place at every level.
    page = open_page(LIMITER, viewport={"width": 1280, "height": 300})
    run = page.locator("details.run").first
    page.keyboard.press("j")
    prompt = page.locator(".author").first
    top = prompt.bounding_box()
    page.keyboard.press("v")
    expect(run).to_have_attribute("open", "")
    expect(page).to_have_url(re.compile(r"\?view=everything$"))
    page.keyboard.press("v")
    expect(page.locator("details.tool").first).to_be_hidden()
    expect(page.get_by_role("link", name="Conversation")).to_have_attribute("aria-current", "true")
    assert top is not None
    assert abs(prompt.bounding_box()["y"] - top["y"]) < 2  # type: ignore[index]
    page.goto(page.url.partition("?")[0])
    expect(page.locator("html")).to_have_attribute("data-level", "conversation")
    # An address that names a level has its way.
    page.goto(f"{page.url}?view=everything")
    expect(page.locator("html")).to_have_attribute("data-level", "everything")
    page.keyboard.press("v")
    expect(page.locator("html")).to_have_attribute("data-level", "conversation")


def test_what_a_level_hides_moves_the_reader_to_what_follows(open_page: OpenPage) -> None:
    page = open_page(LIMITER)
    answer = page.get_by_text("The limiter is in. Here is what changed")
    page.locator("details.tool", has=page.locator(".action:text-is('Edit')")).nth(1).evaluate(
        "(call) => { call.scrollIntoView({ behavior: 'instant' }); scrollBy(0, -40) }"
    )
    page.get_by_role("link", name="Conversation").click()
    expect(answer).to_be_in_viewport()


def test_without_scripts_links_change_the_level(open_page: OpenPage) -> None:
    page = open_page(LIMITER, java_script_enabled=False)
    page.get_by_role("link", name="Everything").click()
    expect(page.locator("details.run").first).to_have_attribute("open", "")
    expect(page.get_by_role("navigation", name="Prompts")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1100])
def test_on_narrow_screens_the_prompts_unfold_below_the_title(open_page: OpenPage, width: int) -> None:
    page = open_page(GALLERY, viewport={"width": width, "height": 800})
    prompts = page.get_by_role("navigation", name="Prompts")
    expect(prompts).to_be_hidden()
    page.locator(".contents > summary").click()
    expect(prompts).to_be_visible()
    title, summary = (
        page.locator(".session-header h1").bounding_box(),
        page.locator(".contents").bounding_box(),
    )
    assert title is not None
    assert summary is not None
    assert summary["y"] > title["y"]
