"""A document as the items of OpenCode's share protocol, which `opencode import` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON
from app.opencode.limits import MAX_MESSAGES, Counter
from app.opencode.reading.envelope import as_unreadable, open_document
from app.opencode.reading.v1_parts import READERS

_S = TypeVar("_S", bound=msgspec.Struct)


class _Message(msgspec.Struct):
    """One of V1."""

    info: Raw
    parts: list[Raw] = []


class _Typed(msgspec.Struct):
    """A part, or a message of V2."""

    type: str


def sync_items(document: JSON) -> Iterator[bytes]:
    """The items as chunks of one JSON list. Raises UnreadableDocument before the first chunk.

    Left out is what the importer cannot take: parts of unknown types, for which it refuses the whole session;
    the link, with which the copy would count as shared; and the messages of sub-agents, which it would mix
    with those of the session.
    """
    with as_unreadable():
        contents = open_document(document)
        session = msgspec.json.decode(contents.session, type=dict[str, Raw])
    Counter(MAX_MESSAGES, "messages").add(len(contents.messages))
    session.pop("share", None)
    return _items(session, contents.messages)


def _items(session: dict[str, Raw], messages: Sequence[Raw]) -> Iterator[bytes]:
    yield b"[" + _item("session", Raw(msgspec.json.encode(session)))
    yield from _batch(session, messages) if _is_v2(session, messages) else _each(messages)
    yield b"]"


def _is_v2(session: dict[str, Raw], messages: Sequence[Raw]) -> bool:
    """Whether the messages are of V2; without messages, only a session of V2 has a location."""
    if any(_read(message, _Message) for message in messages):
        return False
    return "location" in session or any(_read(message, _Typed) for message in messages)


def _each(messages: Sequence[Raw]) -> Iterator[bytes]:
    """An item for every message of V1 and for each of its parts."""
    for raw in messages:
        message = _read(raw, _Message)
        if message is None:
            continue
        yield b"," + _item("message", message.info)
        for part in message.parts:
            head = _read(part, _Typed)
            if head and head.type in READERS:
                yield b"," + _item("part", part)


def _batch(session: dict[str, Raw], messages: Sequence[Raw]) -> Iterator[bytes]:
    """All messages of V2 in one item."""
    id = session.get("id", Raw(b'""'))
    yield b',{"type":"messages","data":{"sessionID":%b,"messages":[' % bytes(id)
    separator = b""
    for message in messages:
        if _read(message, _Typed):
            yield separator + bytes(message)
            separator = b","
    yield b"]}}"


def _item(type: str, data: Raw) -> bytes:
    return msgspec.json.encode({"type": type, "data": data})


def _read(raw: Raw, shape: type[_S]) -> _S | None:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError:
        return None
