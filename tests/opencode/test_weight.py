"""Sizes and weights of batches never say less than what reading the document of them would find."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest

from app.opencode import (
    DocumentHeader,
    merge_batches,
    read_conversation,
    validate_batch,
    weight_of,
    weight_of_document,
)
from app.opencode.sync.weight import MAX_WEIGHT, MESSAGE_WEIGHT
from app.services.documents.checkpoint import HEADER_BYTES, ITEM_BYTES
from tests.support import constructed, recorded
from tests.support import sync_batches as native
from tests.support.sync_batches import Item

SESSION = recorded.document("rate-limit-feature")
ID = SESSION["session"]["id"]


def of_messages(*messages: Any) -> Item:
    """All of a session of OpenCode 2."""
    return {"type": "messages", "data": {"sessionID": ID, "messages": messages}}


NEWER = [[of_messages(*constructed.document("v2a")["messages"][:count])] for count in (1, 2)]


def weighed(batch: list[Item]) -> int:
    return weight_of(validate_batch(msgspec.Raw(json.dumps(batch).encode())))


def merge(document: bytes, *batches: list[Item]) -> bytes:
    header = DocumentHeader("x" * 64, ID, 1, 2, 3)
    return b"".join(merge_batches(document, [msgspec.json.encode(batch) for batch in batches], header))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("newer", [[], NEWER], ids=["of one generation", "of both"])
def test_a_document_is_no_more_than_what_it_was_made_of(seed: int, newer: list[list[Item]]) -> None:
    order = random.Random(seed)
    batches = [*native.stream("rate-limit-feature"), [{"type": "hologram", "data": {"id": "h"}}], *newer]
    order.shuffle(batches)
    split = order.randint(0, len(batches))
    stored = merge(b"{}", *batches[:split])
    document = merge(stored, *batches[split:])
    weight = weight_of_document(stored) + sum(map(weighed, batches[split:]))
    size = len(stored) + sum(len(msgspec.json.encode(batch)) for batch in batches[split:])
    assert weight_of_document(document) <= weight
    assert len(document) <= size + weight * ITEM_BYTES + HEADER_BYTES


def test_what_loses_its_place_to_another_generation_needs_more_room() -> None:
    stored = merge(b"{}", native.items(SESSION))
    batch = [of_messages({"type": "idle"})]
    size = len(stored) + len(msgspec.json.encode(batch)) + HEADER_BYTES
    weight = weight_of_document(stored) + weighed(batch)
    assert size < len(merge(stored, batch)) <= size + weight * ITEM_BYTES


@pytest.mark.parametrize(
    "message",
    [
        {"info": {"id": "msg_1", "role": "user"}, "parts": [{}, {}, {}]},
        {"info": 5},
        {},
        {"type": "hologram"},
        {"type": "hologram", "content": [{}] * 20},
        {"type": "user", "text": "x", "files": [{}] * 20, "agents": [{}] * 20, "skills": [{}] * 20},
        {"type": "user", "files": 5, "agents": [1] * 20},
        constructed.answer(*[{"type": "text", "text": "x"}] * 20, snapshot={}, retry={}),
        constructed.answer(*range(20)),
        {"type": "assistant", "content": {}},
        5,
        [],
    ],
)
def test_a_message_weighs_what_it_counts_when_read(message: Any) -> None:
    batch = of_messages(message, message, message)
    conversation = read_conversation(merge(b"{}", [batch]))
    parts = sum(len(step.parts) for step in conversation.steps)
    assert weighed([batch]) >= max(3 * MESSAGE_WEIGHT, parts)


def test_a_message_that_cannot_be_counted_may_be_too_much() -> None:
    batch = of_messages({"parts": [1]}, {})
    assert weighed([batch]) > MAX_WEIGHT


def test_a_session_weighs_its_parts_and_its_messages() -> None:
    parts = sum(len(message["parts"]) for message in SESSION["messages"])
    expected = parts + MESSAGE_WEIGHT * len(SESSION["messages"])
    assert weight_of_document(merge(b"{}", native.items(SESSION))) == expected
    # The session itself, its diffs and its models.
    assert weighed(native.items(SESSION)) == expected + 3
