"""A document as the items of OpenCode's own share protocol, which `opencode import` reads."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from app.session.encoding import decodable
from app.session.errors import UnreadableDocument
from app.session.limits import check_counts
from app.session.v1_parts import READERS


class _Document(msgspec.Struct):
    messages: list[Raw]
    session: Raw = Raw(b"")
    info: Raw = Raw(b"")


class _Message(msgspec.Struct):
    info: Raw
    parts: list[Raw] = []


class _Part(msgspec.Struct):
    type: str


def native_items(document: bytes) -> Iterator[bytes]:
    """The items as pieces of one JSON list. Raises UnreadableDocument before the first piece.

    OpenCode refuses a whole session for one type of part that it does not know, so those stay behind, and
    with its link an imported copy would take itself for shared.
    """
    try:
        document = decodable(document)
        check_counts(document)
        found = msgspec.json.decode(document, type=_Document)
        session = msgspec.json.decode(found.session or found.info, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableDocument("The document is not a session that OpenCode can import.") from None
    session.pop("share", None)
    return _items(session, found.messages)


def _items(session: dict[str, Raw], messages: list[Raw]) -> Iterator[bytes]:
    yield b"[" + _item("session", Raw(msgspec.json.encode(session)))
    for raw in messages:
        try:
            message = msgspec.json.decode(raw, type=_Message)
        except msgspec.ValidationError:
            continue
        yield b"," + _item("message", message.info)
        for part in message.parts:
            if _is_known(part):
                yield b"," + _item("part", part)
    yield b"]"


def _item(type: str, data: Raw) -> bytes:
    return msgspec.json.encode({"type": type, "data": data})


def _is_known(part: Raw) -> bool:
    try:
        return msgspec.json.decode(part, type=_Part).type in READERS
    except msgspec.ValidationError:
        return False
