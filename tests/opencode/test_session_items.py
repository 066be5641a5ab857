"""A document of any form as the items that `opencode import` reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.opencode import Conversation, UnreadableDocument, sync_items
from tests.support import constructed, recorded
from tests.support.constructed import read

NAMES = ["rate-limit-feature", "tools-gallery", "errors-and-abort", "empty"]


def items(document: object) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(b"".join(sync_items(json.dumps(document).encode())))
    return loaded


def said(conversation: Conversation) -> object:
    return (conversation.id, conversation.title, [(step.id, step.blocks) for step in conversation.steps])


def by_key(items: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in items)


@pytest.mark.parametrize("name", NAMES)
def test_every_form_of_a_session_gives_the_same_items(name: str) -> None:
    document = recorded.document(name)
    uploaded = items(document)
    export = {"info": document["session"], "messages": document["messages"]}
    assert items(export) == uploaded
    assert by_key(items(uploaded)) == by_key(uploaded)
    assert len([item for item in uploaded if item["type"] == "message"]) == len(document["messages"])
    assert said(read(uploaded)) == said(read(document))


def test_sub_sessions_stay_behind() -> None:
    assert items(json.loads(recorded.with_children("subagents"))) == items(recorded.document("subagents"))


@pytest.mark.parametrize("name", constructed.NAMES)
def test_the_messages_of_opencode_2_are_one_item(name: str) -> None:
    document = constructed.document(name)
    session = document.get("info") or document["session"]
    batch = {"type": "messages", "data": {"sessionID": session["id"], "messages": document["messages"]}}
    assert items(document) == [{"type": "session", "data": session}, batch]
    assert items(items(document)) == items(document)
    assert said(read(items(document))) == said(read(document))


def test_a_session_of_opencode_2_without_a_location_keeps_its_messages() -> None:
    document = constructed.with_messages(constructed.answer({"type": "text", "text": "x"}), None, 5)
    del document["info"]["location"]
    assert [item["type"] for item in items(document)] == ["session", "messages"]
    assert items(document)[1]["data"]["messages"] == document["messages"][:1]


def test_a_session_of_opencode_2_without_messages_has_an_empty_batch() -> None:
    document = constructed.with_messages()
    assert items(document)[1]["data"] == {"sessionID": document["info"]["id"], "messages": []}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b'{"info": {}, "messages": [5, ' + b"{}," * 50_000 + b"{}]}", "50,000 messages"),
        (b"[" + b"{}," * 200_000 + b"{}]", "200,000 parts"),
        (b'[{"type": "message", "data": {"id": "msg_1"}}]', "not a session"),
        (b'{"session": 5, "messages": []}', "not a session"),
        (b'{"session": {}, "messages": [', "cut short"),
        (b'{"session": {}, "messages": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too deeply"),
    ],
    ids=["messages", "items", "no session", "another type", "cut short", "nested"],
)
def test_what_cannot_be_read_has_no_items(document: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableDocument, match=sentence):
        sync_items(document)
