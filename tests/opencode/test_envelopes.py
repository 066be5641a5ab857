"""The four forms in which a session arrives: all of them read as the same conversation."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from app.opencode import Conversation, UnreadableDocument, read_conversation
from app.opencode.model import Text
from tests.support import constructed, recorded
from tests.support.constructed import read


def outline(conversation: Conversation) -> object:
    """Everything that a page is made of, in plain values."""
    return (
        (conversation.id, conversation.title, conversation.directory, conversation.models, conversation.cost),
        [
            [
                (step.id, step.role, step.at, step.agent, step.failure, step.is_undone, blocks(step))
                for step in turn.steps
            ]
            for turn in conversation.turns
        ],
    )


def blocks(step: Any) -> list[object]:
    return [
        {name: plain(value) for name, value in vars(block).items() if name != "json"} for block in step.blocks
    ]


def plain(value: Any) -> object:
    """JSON without its spaces, which depend on who wrote it."""
    try:
        return json.loads(bytes(value))
    except (TypeError, ValueError):
        return value


def native(document: dict[str, Any]) -> list[dict[str, Any]]:
    """A recorded document as OpenCode's own protocol sends it."""
    items: list[dict[str, Any]] = [{"type": "session", "data": document["session"]}]
    for message in document["messages"]:
        items.append({"type": "message", "data": message["info"]})
        items.extend({"type": "part", "data": part} for part in message["parts"])
    return [*items, {"type": "session_diff", "data": []}, {"type": "model", "data": [{"id": "m"}]}]


@pytest.fixture(params=["rate-limit-feature", "tools-gallery", "errors-and-abort", "reverted", "empty"])
def uploaded(request: pytest.FixtureRequest) -> dict[str, Any]:
    return recorded.document(request.param)


def test_an_export_reads_as_the_upload_of_the_same_session(uploaded: dict[str, Any]) -> None:
    export = {"info": uploaded["session"], "messages": uploaded["messages"], "todos": [{"content": "x"}]}
    assert outline(read(export)) == outline(read(uploaded))


def test_the_batches_of_opencodes_protocol_read_as_the_upload_of_the_same_session(
    uploaded: dict[str, Any],
) -> None:
    assert outline(read(native(uploaded))) == outline(read(uploaded))


def test_the_order_of_the_batches_does_not_matter() -> None:
    document = recorded.document("rate-limit-feature")
    items = native(document)
    random.Random(4).shuffle(items)
    assert outline(read(items)) == outline(read(document))


def test_of_items_with_the_same_key_the_last_counts() -> None:
    document = recorded.document("single-message")
    part = document["messages"][1]["parts"][1]
    assert part["type"] == "text"
    older = [
        {"type": "session", "data": {**document["session"], "title": "An older title"}},
        {"type": "part", "data": {**part, "text": "An older text"}},
    ]
    assert outline(read(older + native(document))) == outline(read(document))


def test_items_that_are_unknown_broken_or_of_another_session_are_passed_over() -> None:
    document = recorded.document("single-message")
    stranger = {**document["messages"][0]["info"], "id": "msg_0", "sessionID": "ses_another"}
    odd: list[object] = [
        {"type": "weather", "data": {"sunny": True}},
        {"type": "message", "data": stranger},
        {"type": "message", "data": 5},
        {"type": "part", "data": {"type": "text", "text": "no id"}},
        {"type": "part", "data": None},
        {"type": "messages", "data": {"sessionID": "ses_another", "messages": []}},
        {"type": 7, "data": {}},
        {"data": {}},
        None,
        "x",
        [],
    ]
    assert outline(read(odd + native(document))) == outline(read(document))


def batches(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A V2 session as OpenCode's own protocol sends it."""
    session = document.get("info") or document["session"]
    yield {"type": "messages", "data": {"sessionID": session["id"], "messages": []}}
    yield {"type": "session", "data": session}
    yield {"type": "messages", "data": {"sessionID": session["id"], "messages": document["messages"]}}
    yield {"type": "messages", "data": {"sessionID": "ses_another", "messages": []}}


@pytest.mark.parametrize("name", constructed.NAMES)
def test_a_session_of_opencode_2_reads_the_same_in_every_form(name: str) -> None:
    document = constructed.document(name)
    session = document.get("info") or document["session"]
    transfer = {"info": session, "messages": document["messages"]}
    upload = {"session": session, "messages": document["messages"]}
    assert len(read(transfer).steps) == len(document["messages"])
    assert outline(read(transfer)) == outline(read(upload)) == outline(read(list(batches(document))))


def test_a_session_with_a_location_and_no_messages_yet_is_empty() -> None:
    session = constructed.document("v2b")["info"]
    assert read([{"type": "session", "data": session}]).steps == []


def test_one_session_may_hold_messages_of_both_generations() -> None:
    old, new = recorded.document("single-message"), constructed.document("v2b")
    both = {
        "session": old["session"],
        "messages": [old["messages"][0], new["messages"][0], old["messages"][1]],
    }
    assert [step.role for step in read(both).steps] == ["user", "user", "assistant"]


@pytest.mark.parametrize(
    "document",
    [
        [],
        [{"type": "part", "data": {"id": "prt_1", "messageID": "msg_1"}}],
        [{"type": "session", "data": None}],
        [{"type": "session", "data": 5}],
        [1, 2, 3],
        {"messages": []},
        {"info": {"id": "ses_1"}},
        {"info": None, "messages": []},
        {"info": [], "messages": []},
        5,
    ],
    ids=str,
)
def test_what_holds_no_session_is_said_to_be_none(document: object) -> None:
    with pytest.raises(UnreadableDocument, match="not a session of OpenCode"):
        read(document)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b'{"info": {}, "messages": [' + b"{}," * 50_000 + b"{}]}", "50,000 messages"),
        (b'{"info": {}, "messages": [{"content": [' + b"{}," * 200_000 + b"{}]}]}", "200,000 parts"),
        (b'{"info": {}, "messages": [], "children": [' + b"{}," * 1_000 + b"{}]}", "1,000 sub-sessions"),
        (
            b'{"info": {}, "messages": [], "children": [{"messages": [' + b"{}," * 50_000 + b"{}]}]}",
            "50,000 messages",
        ),
        (b"[" + b"{}," * 200_000 + b"{}]", "200,000 parts"),
        (b'[{"data": [' + b"{}," * 200_000 + b"{}]}]", "200,000 parts"),
        (b'[{"data": {"messages": [' + b"{}," * 50_000 + b"{}]}}]", "50,000 messages"),
        (b'[{"data": {"messages": [{"content": [' + b"{}," * 200_000 + b"{}]}]}}]", "200,000 parts"),
        (b"[" + b"1," * 2_000_001 + b"1]", "not a session"),
    ],
    ids=[
        "messages",
        "content",
        "children",
        "their messages",
        "items",
        "a list",
        "batch",
        "its content",
        "numbers",
    ],
)
def test_the_counts_of_every_form_are_limited(document: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableDocument, match=sentence):
        read_conversation(document)


def test_the_messages_of_the_protocol_are_limited_after_merging() -> None:
    session = {"type": "session", "data": {"id": "ses_1"}}
    many = [{"type": "message", "data": {"id": f"msg_{n}", "role": "user"}} for n in range(50_001)]
    assert len(read([session, *many[:3], *many[:3]]).steps) == 3
    with pytest.raises(UnreadableDocument, match="50,000 messages"):
        read([session, *many])


def test_the_header_names_the_sessions_model_where_no_message_does() -> None:
    document = recorded.document("empty")
    assert read(document).models == []
    document["session"] |= {"model": {"providerID": "lab", "id": "acme"}, "agent": "plan"}
    conversation = read(document)
    assert (conversation.models, conversation.agent) == (["lab/acme"], "plan")
    assert conversation.project == document["session"]["directory"].split("/")[-1]


def test_a_session_with_odd_details_is_still_read() -> None:
    document = recorded.document("single-message")
    document["session"] |= {
        "title": None,
        "time": "noon",
        "tokens": [],
        "model": 5,
        "revert": "x",
        "location": 7,
    }
    conversation = read(document)
    assert (conversation.title, conversation.created_at) == ("Say hi.", None)
    assert any(isinstance(block, Text) for step in conversation.steps for block in step.blocks)
