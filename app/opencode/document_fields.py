"""The fields of a document beside its messages, and whether changes can be merged in without its messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON
from app.opencode.fields import MAX_NUMBER, bounded
from app.opencode.limits import MAX_CHILDREN, object_fields, objects
from app.opencode.model import NOTHING, Step
from app.opencode.reading.item_list import Contents
from app.opencode.sync_state import StoredMessage

SESSION, MESSAGES, CHILDREN, DIFFS = "session", "messages", "children", "diffs"
# How a message of OpenCode 1 begins, unless somebody has made it by hand.
_V1 = re.compile(rb'\s*\{\s*"info"\s*:')


def document_fields(document: JSON, contents: Contents, sessions: int) -> list[dict[str, Raw]] | None:
    """The fields of a document and those of its children, in order, which are so many `sessions`.

    Their messages and the children are left out; where these are not the last field, an empty list keeps
    their place. None if there are other children, or if merging would change the JSON of one by itself.
    """
    try:
        fields = _fields_beside(document, contents)
        encoded = objects(fields.get(CHILDREN, NOTHING), MAX_CHILDREN)
        children = [object_fields(child) for child in encoded]
    except msgspec.ValidationError:
        return None
    if SESSION not in fields or len(children) + 1 != sessions or not all(map(is_compact, encoded, children)):
        return None
    fields.pop(MESSAGES, None)
    for child in children:
        child[MESSAGES] = NOTHING
    if CHILDREN in fields:
        fields[CHILDREN] = NOTHING
    return [fields, *children]


def _fields_beside(document: JSON, contents: Contents) -> dict[str, Raw]:
    """The fields of a document, in most cases with an empty list of messages. Raises ValidationError.

    Most documents are written without spaces: then the list can be cut out, which saves decoding it again.
    What was cut out may be another list.
    """
    messages = [memoryview(message) for message in contents.messages]
    start = document.find(b'"messages":[') + len('"messages":')
    if messages and document.startswith(messages[0], start + 1):
        end = start + size_of_list(len(messages), sum(map(len, messages)))
        with suppress(msgspec.DecodeError):
            fields = object_fields(document[:start] + bytes(NOTHING) + document[end:])
            if fields.get(MESSAGES) == NOTHING:
                return fields
    return object_fields(document, contents.size)


class MessageOrder:
    """Whether merging changes would leave the messages of a session in their order.

    They are all of one generation, and those of OpenCode 1 are in the order of their times.
    """

    def __init__(self) -> None:
        self.is_kept = True
        self._is_v1: bool | None = None
        self._before = (-MAX_NUMBER, "")

    def add(self, first: Step) -> None:
        """Goes on to the message that begins with the step `first`."""
        is_v1_message = is_v1(first.message)
        key = (bounded(first.at or 0), first.message_id)
        self.is_kept &= self._is_v1 in (None, is_v1_message) and (not is_v1_message or self._before < key)
        self._is_v1, self._before = is_v1_message, key


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
