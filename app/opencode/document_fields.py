"""The fields of a document beside its messages, and whether changes can be merged in without its messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON
from app.opencode.fields import bounded
from app.opencode.limits import MAX_CHILDREN, objects
from app.opencode.model import NOTHING, Conversation, Step
from app.opencode.sync_state import StoredMessage

MESSAGES, CHILDREN = "messages", "children"
# How a message of OpenCode 1 begins, unless somebody has made it by hand.
_V1 = re.compile(rb'\s*\{\s*"info"\s*:')


@dataclass(frozen=True)
class DocumentFields:
    """The fields of a session's document and those of its children, in order.

    Their messages and the children are left out; where these are not the last field, an empty list keeps
    their place.
    """

    fields: Mapping[str, Raw]
    children: Sequence[Mapping[str, Raw]]


def document_fields(document: JSON, conversation: Conversation) -> DocumentFields | None:
    """The fields of a document that was read as `conversation`; None if its changes need all of it.

    That is so where merging them would change what they do not name: the order of the messages, their ids, or
    the JSON of a child.
    """
    try:
        fields = msgspec.json.decode(document, type=dict[str, Raw])
        encoded = objects(fields.get(CHILDREN, NOTHING), MAX_CHILDREN)
        children = [msgspec.json.decode(child, type=dict[str, Raw]) for child in encoded]
    except msgspec.ValidationError:
        return None
    sessions = [*conversation.walk()]
    if "session" not in fields or not conversation.has_own_ids or len(sessions) != len(children) + 1:
        return None
    if not all(map(_is_uniform, sessions)) or not _is_ordered(conversation):
        return None
    if not all(map(is_compact, encoded, children)):
        return None
    fields.pop(MESSAGES, None)
    for child in children:
        child[MESSAGES] = NOTHING
    if CHILDREN in fields:
        fields[CHILDREN] = NOTHING
    return DocumentFields(fields, children)


def is_compact(json: Raw, fields: Mapping[str, Raw]) -> bool:
    """Whether a session with these fields was written without spaces between them and its messages."""
    return len(memoryview(json)) == size_of_object(fields, _sizes(fields))


def size_of_object(names: Iterable[str], sizes: Iterable[int]) -> int:
    """The bytes of a JSON object with fields of these sizes, written without spaces."""
    total = sum(len(msgspec.json.encode(name)) + size + 2 for name, size in zip(names, sizes, strict=True))
    return max(2, total + 1)


def size_of_list(count: int, size: int) -> int:
    """The bytes of a JSON list of `count` items of `size` bytes in all, written without spaces."""
    return size + max(1, count) + 1


def is_v1(message: Raw) -> bool:
    """Whether merging takes a message as one of OpenCode 1."""
    if _V1.match(memoryview(message)):
        return True
    try:
        msgspec.json.decode(message, type=StoredMessage)
    except msgspec.ValidationError:
        return False
    return True


def _sizes(fields: Mapping[str, Raw]) -> Iterator[int]:
    for name, value in fields.items():
        if name == MESSAGES:
            messages = msgspec.json.decode(value, type=list[Raw])
            yield size_of_list(len(messages), sum(len(memoryview(message)) for message in messages))
        else:
            yield len(memoryview(value))


def _is_uniform(conversation: Conversation) -> bool:
    """Whether all messages are of one generation."""
    return len({is_v1(step.message) for step in _messages(conversation)}) <= 1


def _is_ordered(conversation: Conversation) -> bool:
    """Whether the messages have the order that merging gives to those of OpenCode 1."""
    messages = [*_messages(conversation)]
    if not messages or not is_v1(messages[0].message):
        return True
    keys = [(bounded(step.at or 0), step.message_id) for step in messages]
    return all(before < after for before, after in pairwise(keys))


def _messages(conversation: Conversation) -> Iterator[Step]:
    """The first step of each message."""
    return (step for turn in conversation.turns for step in turn.steps if step.piece == 0)
