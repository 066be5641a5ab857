"""Documents in which something, anywhere, is not what it should be: each is read or refused with a reason."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from app.opencode import UnreadableDocument, as_utf8, read_conversation
from app.opencode.changes.changes import changes
from app.opencode.model import Text
from app.render.text.block_texts import texts
from tests.support import constructed, recorded
from tests.support.constructed import read

ODD: list[Any] = [
    None,
    True,
    5,
    -1.5,
    1e300,
    "",
    "x",
    "\ud83d",
    "\x00",
    [],
    [None],
    {},
    {"type": "text"},
    {"a": [1]},
]

DOCUMENTS = {
    "v2a": constructed.document("v2a"),
    "v2b": constructed.document("v2b"),
    "protocol of v2": [
        {"type": "session", "data": constructed.document("v2a")["session"]},
        {
            "type": "messages",
            "data": {
                "sessionID": "ses_v2a0000000000000000000001",
                "messages": constructed.document("v2a")["messages"],
            },
        },
    ],
    "v1": recorded.document("apply-patch"),
    "v1 in trouble": recorded.document("in-progress"),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything inside a document."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """A copy of a document with something odd at one place."""
    if not path:
        return odd
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], odd)
    return copy


@pytest.mark.parametrize("name", DOCUMENTS)
def test_something_odd_at_any_place_is_never_an_exception(name: str) -> None:
    document, chance = DOCUMENTS[name], random.Random(4)
    refused = 0
    everywhere = list(places(document))
    for path in everywhere:
        try:
            conversation = read(replaced(document, path, chance.choice(ODD)))
        except UnreadableDocument:
            refused += 1
            continue
        for each in conversation.walk():
            for step in each.steps:
                for block in step.blocks:
                    texts(block)
        for change in changes(conversation):
            assert change.path
    assert refused < 20 < len(everywhere)


def test_half_a_character_does_not_spoil_the_text_around_it() -> None:
    text = "before \ud83d after \ude00, whole: \U0001f600, escaped: \\ud83d \\\\\udc00"
    document = recorded.with_parts({"type": "text", "id": "prt_1", "text": text})
    assert rb"\ud83d after" in document
    [block] = read_conversation(as_utf8(document).json).steps[1].blocks
    assert isinstance(block, Text)
    assert block.text == "before \ufffd after \ufffd, whole: \U0001f600, escaped: \\ud83d \\\\\ufffd"


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0", "ü".encode()[:1], "ü".encode("latin-1")])
def test_a_document_that_is_not_utf_8_is_refused_before_it_is_a_page(text: bytes) -> None:
    for place in (
        recorded.with_parts({"type": "text", "text": "HERE"}),
        recorded.with_parts({"type": "HERE"}),
    ):
        with pytest.raises(UnreadableDocument, match="neither UTF-8"):
            as_utf8(place.replace(b"HERE", text))


def test_a_long_text_of_many_bytes_a_character_stays_whole() -> None:
    text = "x" + "ü" * 1_500_000
    document = json.dumps({"session": {"id": "ses_1", "title": text}, "messages": []}, ensure_ascii=False)
    assert read_conversation(document.encode()).title == text


@pytest.mark.parametrize("levels", [100, 400, 700])
def test_what_is_the_providers_is_left_out_of_deep_nesting_too(levels: int) -> None:
    part = {"type": "x", "native": 1, "a": "HERE"}
    document = json.dumps(constructed.with_messages(constructed.answer(part)))
    nested = '{"a":' * levels + "1" + "}" * levels
    [block] = read_conversation(document.replace('"HERE"', nested).encode()).steps[0].blocks
    assert "native" not in texts(block)["json"]
