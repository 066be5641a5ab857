"""What a session weighs: tells without reading it that it has no more than a document may have.

A batch adds at most its own weight to that of the session, whatever is merged.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON
from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, Scalar
from app.opencode.sync_items import Batch, Item

# Whatever weighs no more can be read; what weighs more, perhaps.
MAX_WEIGHT = MAX_PARTS
# Of a message itself. Besides its lists one of OpenCode 2 has at most three parts.
MESSAGE_WEIGHT = MAX_PARTS // MAX_MESSAGES


class _Object(msgspec.Struct):
    pass


_List = list[_Object] | _Object | Scalar


class _Message(msgspec.Struct):
    """The lists of a message, of either generation, that parts are made of."""

    parts: _List = None
    content: _List = None
    files: _List = None
    agents: _List = None
    skills: _List = None


class _Document(msgspec.Struct):
    messages: list[Raw] = []
    others: list[Item] = []


def weight_of(items: Iterable[Item]) -> int:
    """What a batch weighs: each part counts as one, a message as MESSAGE_WEIGHT."""
    return sum(_weight_of_item(item) for item in items)


def weight_of_document(document: JSON) -> int:
    """What a document weighs that was merged of batches."""
    found = msgspec.json.decode(document, type=_Document)
    return _weight_of_messages(found.messages) + weight_of(found.others)


def _weight_of_item(item: Item) -> int:
    if item.type == "message":
        return MESSAGE_WEIGHT
    if item.type == "messages":
        batch = msgspec.json.decode(item.data, type=Batch)
        return _weight_of_messages(msgspec.json.decode(batch.messages, type=list[Raw]))
    return 1


def _weight_of_messages(messages: Iterable[Raw]) -> int:
    return sum(_weight_of_message(message) for message in messages)


def _weight_of_message(raw: Raw) -> int:
    try:
        message = msgspec.json.decode(raw, type=_Message)
    except msgspec.ValidationError:
        # How a document with something of a wrong type is read depends on more than its counts.
        return MAX_WEIGHT
    lists = (message.parts, message.content, message.files, message.agents, message.skills)
    return MESSAGE_WEIGHT + sum(len(each) for each in lists if isinstance(each, list))
