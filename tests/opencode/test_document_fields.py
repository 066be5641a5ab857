"""A document comes out of the pieces of its index as it went in, whatever stands beside its messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import recorded
from tests.support.constructed import index

RECORDED = recorded.document("rate-limit-feature")
SESSION, MESSAGES = RECORDED["session"], RECORDED["messages"]


def compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "document",
    [
        {"session": SESSION, "messages": MESSAGES},
        {"shareId": "a", "session": SESSION, "later": [1, {"messages": [2]}], "messages": MESSAGES},
        {"session": {**SESSION, "messages": MESSAGES}, "messages": MESSAGES},
        {"session": {**SESSION, "messages": MESSAGES[:1]}, "messages": MESSAGES},
        {"session": {**SESSION, "title": '"messages":['}, "messages": MESSAGES},
        {"session": SESSION, "messages": []},
    ],
    ids=["plain", "others", "twice", "first twice", "in a text", "none"],
)
def test_what_was_written_without_spaces_is_the_same_again(document: dict[str, Any]) -> None:
    made = index(compact(document), is_extendable=True)
    assert made.is_extendable
    assert b"".join(made.document()) == compact(document)


def test_messages_need_not_be_the_last_field() -> None:
    document = {"session": SESSION, "messages": MESSAGES, "models": [], "unknown": {"a": 1}}
    made = index(compact(document), is_extendable=True)
    assert json.loads(b"".join(made.document())) == document


def test_spaces_change_nothing_else() -> None:
    document = {"session": SESSION, "messages": MESSAGES, "unknown": {"a": 1}}
    spaced = index(json.dumps(document, indent=1).encode(), is_extendable=True)
    assert json.loads(b"".join(spaced.document())) == document
