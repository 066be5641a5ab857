"""Counts what a document holds before it is decoded, so that a small file cannot fill the memory."""

import msgspec

from app.session.errors import UnreadableDocument

MAX_MESSAGES = 50_000
MAX_PARTS = 200_000
# Where a list holds something else than objects, its items can only be bounded by their commas.
MAX_COMMAS = 2_000_000


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
        raise UnreadableDocument(str(error)) from None
    except msgspec.DecodeError:
        if document.count(b",") > MAX_COMMAS:
            raise UnreadableDocument("The document is not a session.") from None


def _counting_type() -> type[msgspec.Struct]:
    """The shape of a document, in types that count their instances from zero.

    The types refer to each other as local names, so this module's annotations are not postponed.
    """
    message_count = part_count = 0

    class Part(msgspec.Struct):
        def __post_init__(self) -> None:
            nonlocal part_count
            part_count += 1
            if part_count > MAX_PARTS:
                raise _TooMany(f"The session has more than {MAX_PARTS:,} parts.")

    class Message(msgspec.Struct):
        parts: list[Part] = []
        content: list[Part] = []

        def __post_init__(self) -> None:
            nonlocal message_count
            message_count += 1
            if message_count > MAX_MESSAGES:
                raise _TooMany(f"The session has more than {MAX_MESSAGES:,} messages.")

    class Child(msgspec.Struct):
        messages: list[Message] = []

    class Document(msgspec.Struct):
        messages: list[Message] = []
        children: list[Child] = []

    return Document
