"""Counts what a document contains while it is decoded, so that a small file cannot fill the memory.

This module's annotations must not be postponed: `_counting_type` needs them as they are.
"""

from enum import Enum
from typing import Any

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON, UnreadableDocument

MAX_MESSAGES = 50_000
MAX_PARTS = 200_000
MAX_CHILDREN = 1_000
# Of one object whose fields are kept as they are; in memory, the shortest takes thirty times its JSON.
MAX_FIELDS = 10_000
# A list of anything but objects cannot be counted before it is decoded; its commas are an upper bound.
MAX_COMMAS = 2_000_000
# A list or an object of no more bytes than this cannot hold enough to do harm.
SMALL_BYTES = 16 * 1024
# What may be, by mistake, where a list belongs: it contains nothing to count.
Scalar = str | float | bool | None


class Counter:
    """Counts items, and raises UnreadableDocument at the first one over the limit."""

    def __init__(self, limit: int, what: str) -> None:
        self._left = limit
        self._reason = f"The session has more than {limit:,} {what}."

    def add(self, number: int = 1) -> None:
        self._left -= number
        if self._left < 0:
            raise UnreadableDocument(self._reason)


def check_counts(document: JSON) -> None:
    """Raises UnreadableDocument when `document` has more than MAX_MESSAGES, MAX_PARTS or MAX_CHILDREN.

    An empty object of two bytes becomes some fifty bytes in memory. Objects are therefore counted as msgspec
    creates them, and decoding stops at the first one too many. What cannot be counted here is bounded, and
    its readers count it again.
    """
    try:
        msgspec.json.decode(document, type=_counting_type())
    except msgspec.DecodeError:
        if document.count(b",") > MAX_COMMAS:
            raise UnreadableDocument("The document is not a session.") from None


def objects(field: Raw, limit: int) -> list[Raw]:
    """The objects of a JSON list. Raises ValidationError for anything else, and for more than `limit`."""
    if len(memoryview(field)) > SMALL_BYTES:
        _check_length(field, limit)
    items = msgspec.json.decode(field, type=list[Raw])
    if len(items) > limit:
        raise msgspec.ValidationError(f"more than {limit} items")
    return items


def object_fields(json: JSON | Raw, known_bytes: int = 0) -> dict[str, Raw]:
    """The fields of a JSON object, of which `known_bytes` are in the values of a few.

    Raises ValidationError for anything else, and for more than MAX_FIELDS.
    """
    if len(memoryview(json)) - known_bytes > SMALL_BYTES:
        _check_number_of_fields(json)
    return msgspec.json.decode(json, type=dict[str, Raw])


def _check_number_of_fields(json: JSON | Raw) -> None:
    """Counts the names as they are decoded: msgspec asks `_missing_` for each, and stops at None."""
    count = 0

    class Name(Enum):
        ANY = ""

        @classmethod
        def _missing_(cls, value: object) -> "Name | None":
            nonlocal count
            count += 1
            return cls.ANY if count <= MAX_FIELDS else None

    try:
        msgspec.json.decode(json, type=dict[Name, Raw])
    except msgspec.ValidationError:
        if count > MAX_FIELDS:
            raise msgspec.ValidationError(f"Object with more than {MAX_FIELDS:,} fields") from None
        raise


def _check_length(field: Raw, limit: int) -> None:
    items = Counter(limit, "items")

    class Item(msgspec.Struct):
        def __post_init__(self) -> None:
            items.add()

    try:
        msgspec.json.decode(field, type=list[Item])
    except UnreadableDocument:
        raise msgspec.ValidationError(f"more than {limit} items") from None


def _counting_type() -> Any:
    """The shape of a document, as struct types that count their instances.

    msgspec calls `__post_init__` for each struct that it creates, and an exception raised there ends the
    decoding. The types are made anew for each document, so that each starts counting at zero; they refer to
    each other as local names, which is why annotations must not be postponed. Fields that are not declared
    are skipped without being created.
    """
    messages = Counter(MAX_MESSAGES, "messages")
    parts = Counter(MAX_PARTS, "parts")
    children = Counter(MAX_CHILDREN, "sub-sessions")

    class Other(msgspec.Struct):
        pass

    class Part(msgspec.Struct):
        def __post_init__(self) -> None:
            parts.add()

    class Message(msgspec.Struct):
        parts: list[Part] | Other | Scalar = None
        content: list[Part] | Other | Scalar = None

        def __post_init__(self) -> None:
            messages.add()

    class Child(msgspec.Struct):
        messages: list[Message] | Other | Scalar = None

        def __post_init__(self) -> None:
            children.add()

    class Document(msgspec.Struct):
        messages: list[Message] | Other | Scalar = None
        children: list[Child] | Other | Scalar = None

    class Batch(msgspec.Struct):
        messages: list[Message] | Other | Scalar = None

    # One item of OpenCode's own protocol is a message or a part, or holds a list of something.
    class Item(msgspec.Struct):
        data: Batch | list[Part] | Scalar = None

        def __post_init__(self) -> None:
            parts.add()

    return Document | list[Item]
