"""A document as the items of OpenCode's share protocol, which `opencode import` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

from app.lib.chunks import chunks
from app.opencode.encoding import JSON
from app.opencode.fields import ABSENT, read_text
from app.opencode.json_pieces import json_pieces
from app.opencode.limits import MAX_MESSAGES, Counter, object_fields
from app.opencode.reading.envelope import as_unreadable, open_document
from app.opencode.reading.v1_parts import READERS
from app.opencode.sync.import_fields import Fields, fields_of
from app.opencode.sync.importable import Completer, answering
from app.opencode.sync.older_importers import downgrade

_S = TypeVar("_S", bound=msgspec.Struct)
_Adapt = Callable[[Fields], Fields]


class _Message(msgspec.Struct):
    """One of V1."""

    info: Raw
    parts: list[Raw] = []


class _Typed(msgspec.Struct):
    """A part, or a message of V2."""

    type: str


def sync_items(document: JSON, *, for_older_importer: bool = False) -> Iterator[bytes]:
    """The items as chunks of one JSON list. Raises UnreadableDocument before the first chunk.

    `for_older_importer`: in the shapes of older_importers.

    Left out is what the importer cannot take: parts of unknown types, for which it refuses the whole session;
    the link, with which the copy would count as shared; and the messages of sub-agents, which it would mix
    with those of the session.
    """
    with as_unreadable():
        contents = open_document(document)
        session = object_fields(contents.session)
    Counter(MAX_MESSAGES, "messages").add(len(contents.messages))
    session.pop("share", None)
    return _items(session, contents.messages, downgrade if for_older_importer else _as_it_is)


def _items(session: dict[str, Raw], messages: Sequence[Raw], adapt: _Adapt) -> Iterator[bytes]:
    if _is_v2(session, messages):
        yield b"["
        yield from _item("session", session, _size(*session.values()))
        yield from _batch(session, messages)
    else:
        yield from _each(session, messages, adapt)
    yield b"]"


def _is_v2(session: dict[str, Raw], messages: Sequence[Raw]) -> bool:
    """Whether the messages are of V2; without messages, only a session of V2 has a location."""
    if any(_read(message, _Message) for message in messages):
        return False
    return "location" in session or any(_read(message, _Typed) for message in messages)


def _each(session: dict[str, Raw], messages: Sequence[Raw], adapt: _Adapt) -> Iterator[bytes]:
    """The session, and an item for every message of V1 and for each of its parts, completed."""
    heads = [(message, fields_of(message.info)) for raw in messages if (message := _read(raw, _Message))]
    completer = Completer(session, read_text(session.get("id", ABSENT)))
    model = next(
        (answering(head) for _, head in reversed(heads) if head.get("role") != "user"), answering({})
    )
    infos: list[Fields] = []
    for _, head in heads:
        infos.append(completer.message(head, model))
    yield b"["
    yield from _item("session", adapt(completer.session()), _size(*session.values()))
    for (message, _), info in zip(heads, infos, strict=True):
        yield b","
        yield from _item("message", adapt(info), _size(message.info))
        previous_id = "prt_0"
        for number, raw_part in enumerate(message.parts):
            type = _read(raw_part, _Typed)
            if type and type.type in READERS:
                part = completer.part(fields_of(raw_part), info, previous_id, number)
                previous_id = part["id"]
                yield b","
                yield from _item("part", part, _size(raw_part))


def _batch(session: dict[str, Raw], messages: Sequence[Raw]) -> Iterator[bytes]:
    """All messages of V2 in one item."""
    id = session.get("id", Raw(b'""'))
    yield b',{"type":"messages","data":{"sessionID":%b,"messages":[' % bytes(id)
    separator = b""
    for message in messages:
        if _read(message, _Typed):
            yield separator
            yield from chunks(memoryview(message))
            separator = b","
    yield b"]}}"


def _as_it_is(head: Fields) -> Fields:
    return head


def _item(type: str, data: Fields, size: int) -> Iterator[bytes]:
    """An item as chunks of JSON; any of them may be most of a session of `size` bytes."""
    for piece in json_pieces({"type": type, "data": data}, size):
        yield from (piece,) if isinstance(piece, bytes) else chunks(piece)


def _size(*values: Raw) -> int:
    return sum(len(memoryview(value)) for value in values)


def _read(raw: Raw, shape: type[_S]) -> _S | None:
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError:
        return None
