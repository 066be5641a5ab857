"""Every recorded session as a page: nothing that was said or done is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from tests.support import recorded
from tests.support.client import share

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")


class Pages:
    """All pages of a share as a reader meets them, following the links from one to the next."""

    def __init__(self, client: FlaskClient, share_id: str) -> None:
        self.client = client
        self.roots: list[lxml.html.HtmlElement] = []
        address: str | None = f"/share/{share_id}"
        while address:
            response = client.get(address)
            assert response.status_code == 200
            self.roots.append(lxml.html.fromstring(response.text))
            following = self.roots[-1].xpath("//a[@rel='next']/@href")
            address = following[0] if following else None
        self.text = "\n".join(root.text_content() for root in self.roots)

    def element(self, id: str) -> lxml.html.HtmlElement:
        found = [element for root in self.roots for element in root.xpath("//*[@id=$id]", id=id)]
        assert len(found) == 1, f"{id} stands {len(found)} times on the pages"
        [element] = found
        return element.getparent() if element.get("class", "").split()[0] == "body" else element

    def whole(self, block: lxml.html.HtmlElement) -> str:
        """The text of a block, with the texts it links to; something cut without a link fails."""
        cut = [note for note in block.xpath(".//p[@class='note']") if "not shown here" in note.text_content()]
        assert len(cut) == len(block.xpath(".//p[@class='note']/a[text()='Show all']"))
        links = block.xpath(".//a[contains(@href, '/full/')]/@href")
        return "\n".join([block.text_content(), *(self.client.get(link).text for link in links)])


@pytest.fixture(params=recorded.NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pages(client: FlaskClient, name: str) -> Pages:
    share(client, recorded.document_bytes(name))
    return Pages(client, "GhIjKlMn")


def letters(text: str) -> str:
    """`text` without what markdown takes from it or a page adds to it: spaces and punctuation."""
    return re.sub(r"[\W_]+", "", text)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def test_every_text_is_on_its_page(pages: Pages, name: str) -> None:
    for part in recorded.parts(name):
        if part["type"] in ("text", "reasoning") and part["text"].strip():
            shown = letters(pages.whole(pages.element(part["id"])))
            for line in part["text"].split("\n"):
                if not MARKDOWN_SYNTAX.search(line):
                    assert letters(LIST_MARKER.sub("", line)) in shown


# Lines and beginnings of lines that markdown turns into something else than text; in a table, a bar inside
# code ends its cell, and cells beyond the head are dropped (GitHub Flavored Markdown, 4.10).
MARKDOWN_SYNTAX = re.compile(
    r"^[\s>]*(```|~~~|\|.*`[^`]*\|[^`]*`|\[[^]]*\]:)|\]\(|<https?:|&\w+;|&#|\[\^|</?\w+>|\$.+\$"
)
LIST_MARKER = re.compile(r"^\s*(\d+[.)]|[-*+] \[[ xX]\]) ")


def test_texts_that_opencode_added_are_folded_and_say_so(pages: Pages, name: str) -> None:
    for part in recorded.parts(name):
        if part["type"] == "text" and part.get("synthetic") and part["text"].strip():
            block = pages.element(part["id"])
            assert block.tag == "details"
            assert "Added by OpenCode" in block.find("summary").text_content()


def test_every_tool_call_has_its_state_input_and_output(pages: Pages, name: str) -> None:
    for part in recorded.parts(name):
        if part["type"] != "tool":
            continue
        block = pages.element(part["id"])
        summary = block.find("summary").text_content()
        assert part["state"]["status"] in summary
        assert part["tool"] in block.text_content()
        shown = letters(pages.whole(block))
        for text in strings(part["state"].get("input")):
            assert letters(text) in shown or letters(json.dumps(text, ensure_ascii=False)) in shown
        for key in ("output", "error"):
            assert letters(part["state"].get(key) or "") in shown


def test_every_file_is_shown_or_named(pages: Pages, name: str) -> None:
    for part in recorded.parts(name):
        attached = part.get("state", {}).get("attachments") or [] if part["type"] == "tool" else []
        for file in [part] if part["type"] == "file" else attached:
            block = pages.element(part["id"])
            if file["mime"] in IMAGES and file["url"].startswith("data:"):
                source = block.xpath(".//img/@src")[0]
                assert source.startswith("data:") or pages.client.get(source).mimetype == file["mime"]
            else:
                assert file["filename"] in block.text_content()


def test_every_error_is_on_its_page(pages: Pages, name: str) -> None:
    for message in recorded.document(name)["messages"]:
        error = message["info"].get("error")
        if error:
            step = pages.element(message["info"]["id"])
            failure = step.xpath(".//p[contains(@class, 'failure')]")[0].text_content()
            assert error["data"].get("message", error["name"])[:200] in failure
            assert ("Aborted" in failure) == (error["name"] == "MessageAbortedError")


def test_what_a_provider_answered_is_never_on_a_page(pages: Pages, name: str) -> None:
    whole = "".join(lxml.html.tostring(root.find("body"), encoding="unicode") for root in pages.roots)
    for message in recorded.document(name)["messages"]:
        for key, value in (message["info"].get("error") or {}).get("data", {}).items():
            if key in ("responseHeaders", "responseBody", "metadata"):
                for text in strings(value):
                    assert len(text) < 12 or text not in whole


def test_the_header_tells_title_model_time_tokens_and_cost(pages: Pages, name: str) -> None:
    session = recorded.document(name)["session"]
    header = " ".join(pages.roots[0].xpath("//header[@class='session-header']")[0].text_content().split())
    assert ("Untitled session" if name == "empty" else session["title"]) in header
    assert f"{session['tokens']['output']:,} out" in header
    assert f"${session['cost']:.2f}" in header or session["cost"] < 0.01
    for model in {message["info"].get("modelID") for message in recorded.document(name)["messages"]} - {None}:
        assert model in header


def test_nothing_on_a_page_is_inline_or_from_elsewhere(pages: Pages, name: str) -> None:
    for root in pages.roots:
        assert not root.xpath("//script[not(@src) or text()] | //style | //base")
        # The one of the search.
        assert {form.get("action") for form in root.xpath("//form")} == {"/share/GhIjKlMn/search"}
        assert not root.xpath("//iframe | //object | //embed")
        assert not root.xpath("//@style | //@*[starts-with(name(), 'on')]")
        for source in root.xpath("//@src | //link/@href"):
            assert source.startswith(("/", "data:image/"))
        for target in root.xpath("//a/@href"):
            assert re.match(r"(?i)https?:|mailto:|/|#|[^:]*$", target)


def test_undone_messages_are_marked(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("reverted"))
    document = recorded.document("reverted")
    ids = [message["info"]["id"] for message in document["messages"]]
    first = ids.index(document["session"]["revert"]["messageID"])
    pages = Pages(client, "GhIjKlMn")
    undone = [id for id in ids if "undone" in pages.element(id).get("class")]
    assert undone == ids[first:]


def test_a_session_without_messages_says_so(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("empty"))
    assert "This session is still empty" in client.get("/share/GhIjKlMn").text


def test_pages_of_a_long_session_are_bounded(client: FlaskClient) -> None:
    share(client, recorded.document_bytes("large-output"))
    pages = Pages(client, "GhIjKlMn")
    assert len(pages.roots) > 1
    for root in pages.roots:
        [timeline] = root.xpath("//section[@class='timeline']")
        size = len(lxml.html.tostring(timeline))
        assert size < 40_000
        assert len(lxml.html.tostring(root)) - size < 1_000_000
    for number, root in enumerate(pages.roots, start=1):
        linked = root.xpath("//nav[@aria-label='Pages']/a[not(@rel)]")
        assert [link.text for link in linked if link.get("aria-current")] == [str(number)]
        assert {linked[0].text, linked[-1].text} == {"1", str(len(pages.roots))}
    assert client.get(f"/share/GhIjKlMn?page={len(pages.roots) + 1}").status_code == 404
    assert client.get("/share/GhIjKlMn?page=0").status_code == 404
    assert client.get("/share/GhIjKlMn?page=x").status_code == 200
