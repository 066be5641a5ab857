"""Counts what a document holds before it is decoded, so that a small file cannot fill the memory."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from app.session.errors import UnreadableDocument

MAX_MESSAGES = 50_000
MAX_PARTS = 200_000
MAX_CHILDREN = 1_000
# Where a list holds something else than objects, its items can only be bounded by their commas.
MAX_COMMAS = 2_000_000
# A list of no more bytes than this cannot hold enough to do harm, so it is counted when decoded.
SMALL_LIST_BYTES = 16 * 1024


class _TooMany(Exception):
    pass


def check_counts(document: bytes) -> None:
    """Raises UnreadableDocument when `document` has more than MAX_MESSAGES or MAX_PARTS.

    An empty object of two bytes becomes some fifty in memory; so they are counted as msgspec meets them,
    and decoding stops at the first one too many.
    """
    try:
        msgspec.json.decode(document, type=_counting_type())
    except _TooMany as error:
        raise UnreadableDocument(f"The session has more than {error}.") from None
    except msgspec.DecodeError:
        if document.count(b",") > MAX_COMMAS:
            raise UnreadableDocument("The document is not a session.") from None


def objects(field: Raw, limit: int) -> list[Raw]:
    """The objects of a JSON list. Raises ValidationError for anything else, and for more than `limit`."""
    if len(memoryview(field)) > SMALL_LIST_BYTES:
        _check_length(field, limit)
    found = msgspec.json.decode(field, type=list[Raw])
    if len(found) > limit:
        raise msgspec.ValidationError(f"more than {limit} items")
    return found


def _check_length(field: Raw, limit: int) -> None:
    count = _counter(limit, "items")

    class Item(msgspec.Struct):
        def __post_init__(self) -> None:
            count()

    try:
        msgspec.json.decode(field, type=list[Item])
    except _TooMany as error:
        raise msgspec.ValidationError(f"more than {error}") from None


def _counter(limit: int, what: str) -> Callable[[], None]:
    """Counts its calls, and raises _TooMany at the first one over the limit."""
    left = limit

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooMany(f"{limit:,} {what}")

    return count


def _counting_type() -> Any:
    """The shape of a document, in types that count their instances from zero.

    The types refer to each other as local names, so this module's annotations are not postponed.
    """
    count_message = _counter(MAX_MESSAGES, "messages")
    count_part = _counter(MAX_PARTS, "parts")

    count_child = _counter(MAX_CHILDREN, "sub-sessions")

    class Part(msgspec.Struct):
        def __post_init__(self) -> None:
            count_part()

    class Message(msgspec.Struct):
        parts: list[Part] = []
        content: list[Part] = []

        def __post_init__(self) -> None:
            count_message()

    class Child(msgspec.Struct):
        messages: list[Message] = []

        def __post_init__(self) -> None:
            count_child()

    class Document(msgspec.Struct):
        messages: list[Message] = []
        children: list[Child] = []

    class Batch(msgspec.Struct):
        messages: list[Message] = []

    # One item of OpenCode's own protocol is a message or a part, or holds a list of something.
    class Item(msgspec.Struct):
        data: Batch | list[Part] | str | int | float | bool | None = None

        def __post_init__(self) -> None:
            count_part()

    return Document | list[Item]
