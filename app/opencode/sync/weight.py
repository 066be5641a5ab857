"""The weight of a session: an upper bound of its messages and parts that is known without reading it.

Merging a batch adds at most its own weight to that of the session.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON
from app.opencode.limits import MAX_CHILDREN, MAX_MESSAGES, MAX_PARTS, Scalar
from app.opencode.sync_items import Batch, Item, PutChild, PutChildMessage

# A session up to this weight is sure to pass check_counts; above, it must be decoded to know.
MAX_WEIGHT = MAX_PARTS
# Of a message without its lists; beside those, a message of OpenCode 2 has at most three parts.
MESSAGE_WEIGHT = MAX_PARTS // MAX_MESSAGES
# Of a sub-agent's session beside its messages.
CHILD_WEIGHT = MAX_PARTS // MAX_CHILDREN


class _Object(msgspec.Struct):
    pass


_List = list[_Object] | _Object | Scalar


class _Message(msgspec.Struct):
    """The lists of a message, of either generation, whose items become parts."""

    parts: _List = None
    content: _List = None
    files: _List = None
    agents: _List = None
    skills: _List = None


class _Document(msgspec.Struct):
    messages: list[Raw] = []
    others: list[Item] = []
    children: list[PutChild] = []


def weight_of(items: Iterable[Item]) -> int:
    """The weight of a batch: each part counts as one, a message as MESSAGE_WEIGHT."""
    return sum(_weight_of_item(item) for item in items)


def weight_of_document(document: JSON) -> int:
    """The weight of a document that has what batches are merged into. Raises ValidationError."""
    fields = msgspec.json.decode(document, type=_Document)
    children = sum(CHILD_WEIGHT + _weight_of_list(child.messages) for child in fields.children)
    return _weight_of_messages(fields.messages) + weight_of(fields.others) + children


def _weight_of_item(item: Item) -> int:
    if item.type == "message":
        return MESSAGE_WEIGHT
    match item.type:
        case "messages":
            return _weight_of_list(msgspec.json.decode(item.data, type=Batch).messages)
        case "put_message":
            return _weight_of_message(item.data)
        case "put_child_message":
            return _weight_of_message(msgspec.json.decode(item.data, type=PutChildMessage).message)
        case "put_child":
            return CHILD_WEIGHT + _weight_of_list(msgspec.json.decode(item.data, type=PutChild).messages)
    return 1


def _weight_of_list(messages: Raw) -> int:
    return _weight_of_messages(msgspec.json.decode(messages, type=list[Raw]))


def _weight_of_messages(messages: Iterable[Raw]) -> int:
    return sum(_weight_of_message(message) for message in messages)


def _weight_of_message(raw: Raw) -> int:
    try:
        message = msgspec.json.decode(raw, type=_Message)
    except msgspec.ValidationError:
        # With a field of the wrong type, more than the counts decides how it is read.
        return MAX_WEIGHT
    lists = (message.parts, message.content, message.files, message.agents, message.skills)
    return MESSAGE_WEIGHT + sum(len(each) for each in lists if isinstance(each, list))
