"""Which messages count as a person's prompts, what they are called, and what a session without a title is."""

from __future__ import annotations

import json
from typing import Any

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.opencode import as_utf8, describe_document, description_of, read_conversation
from app.opencode.titles import shortened
from tests.support import field, recorded
from tests.support.client import share
from tests.support.constructed import index

FIELD = [field.document_bytes(name) for name in field.NAMES]
TITLE = "Build a receipt book for festivals"


def text(words: str, **fields: object) -> dict[str, Any]:
    return {"type": "text", "text": words, **fields}


def file(**fields: object) -> dict[str, Any]:
    return {"type": "file", "mime": "image/png", "url": "data:image/png;base64,AA==", **fields}


def session_of(
    *messages: list[dict[str, Any]], title: str = "New session - 2026-08-20T08:33:35.299Z"
) -> bytes:
    """A session of prompts with these parts, each with an answer."""
    session = field.document("default-title")
    prompt, answer = session["messages"]
    session["session"]["title"] = title
    session["messages"] = []
    for number, parts in enumerate(messages):
        info = {**prompt["info"], "id": f"msg_{number}"}
        session["messages"] += [
            {"info": info, "parts": parts},
            {**answer, "info": {**answer["info"], "id": f"a{number}"}},
        ]
    return json.dumps(session).encode()


def title_of(*messages: list[dict[str, Any]], title: str) -> str:
    document = session_of(*messages, title=title)
    read = read_conversation(document).title
    assert index(document).conversation.title == read
    return read


def prompts(*messages: list[dict[str, Any]]) -> list[str]:
    return [prompt.title for prompt in index(session_of(*messages)).session.prompts]


def test_only_what_a_person_asked_is_a_prompt(client: FlaskClient) -> None:
    share(client, field.document_bytes("prompts-list"))
    root = lxml.html.fromstring(client.get("/share/GhIjKlMn").text)
    assert root.xpath("//details[@class='contents']//li/a/text()") == ["shot.png"]
    authors = root.xpath("//span[@class='name']/text()")
    assert authors == ["Prompt", "Assistant", "OpenCode", "Assistant", "OpenCode", "Assistant"]


@pytest.mark.parametrize(
    ("parts", "title"),
    [
        ([text("\n  Fix it\nplease")], "Fix it"),
        ([file(filename="shot.png")], "shot.png"),
        ([file(url="file:///home/x/my%20plan.md", mime="text/markdown")], "my plan.md"),
        ([file(filename="shot.png"), text("What is this?")], "What is this?"),
        ([text("Called the Read tool", synthetic=True), file(filename="a.ts")], "a.ts"),
        ([text("Called the Read tool", synthetic=True), text("Explain a.ts")], "Explain a.ts"),
        ([{"type": "agent", "name": "explore"}], "@explore"),
        ([{"type": "subtask", "agent": "build", "description": "Look"}], "Sub-task for build: Look"),
        ([text("x" * 70_000, synthetic=True), text("At the end")], "At the end"),
        ([text("  ")], "Empty prompt"),
        ([], "Empty prompt"),
    ],
)
def test_a_prompt_is_named_after_what_it_says(parts: list[dict[str, Any]], title: str) -> None:
    assert prompts(parts) == [title]


@pytest.mark.parametrize(
    "parts", [[{"type": "compaction", "auto": False}], [text("Continue", synthetic=True)]], ids=str
)
def test_what_opencode_adds_is_no_prompt_and_does_not_count(parts: list[dict[str, Any]]) -> None:
    found = index(session_of([text("First")], parts, [text("Second")]))
    assert [(each.number, each.title) for each in found.session.prompts] == [
        (1, "First"),
        (2, "Second"),
    ]


def test_a_session_that_begins_with_an_answer_has_no_prompt_there() -> None:
    session = field.document("default-title")
    session["messages"] = session["messages"][1:]
    found = index(session).session
    assert len(found.conversation.turns) == 1
    assert found.prompts == []


@pytest.mark.parametrize("document", [*map(recorded.document_bytes, recorded.NAMES), *FIELD])
def test_a_description_read_by_itself_says_what_the_page_says(document: bytes) -> None:
    json = as_utf8(document).json
    assert describe_document(json) == description_of(read_conversation(json))


@pytest.mark.parametrize("address", ["", "/card.png", ".md"])
def test_the_first_prompt_stands_for_a_default_title(client: FlaskClient, address: str) -> None:
    share(client, field.document_bytes("default-title"))
    body = client.get(f"/share/GhIjKlMn{address}").data
    assert b"New session" not in body
    if address == "":
        root = lxml.html.fromstring(body)
        assert root.xpath("string(//h1)") == root.xpath("string(//title)") == TITLE
        assert root.xpath("//meta[@property='og:title']/@content") == [TITLE]
    elif address == ".md":
        assert body.startswith(f"# {TITLE}\n".encode())


@pytest.mark.parametrize(
    "default",
    ["New session - 2026-08-20T08:33:35.299Z", "Child session - 2026-08-20T08:33:35.299Z", "", "  "],
)
def test_every_default_title_is_one(default: str) -> None:
    continued = [text("Continue", synthetic=True)]
    assert title_of(continued, [text("word " * 40)], title=default) == "word " * 15 + "word…"


def test_a_title_that_somebody_gave_stays() -> None:
    title = "New session - about 2026-08-20T08:33:35.299Z"
    assert title_of([text("x")], title=title) == title


def test_a_title_is_cut_between_words_where_it_has_any() -> None:
    assert shortened("one two three", 9) == "one two…"
    assert shortened("one two", 7) == "one two"
    assert shortened("一二三四五", 3) == "一二三…"
    assert shortened("a bcdefghijkl", 8) == "a bcdefg…"
