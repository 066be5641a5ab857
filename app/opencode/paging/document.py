"""The document that an index was made of, put together again from its pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from app.opencode.document_fields import CHILDREN, MESSAGES, size_of_list, size_of_object
from app.opencode.paging.pieces import piece_of
from app.opencode.paging.records import (
    IndexRecord,
    SessionRecord,
    decode_state,
    records_of,
)

Chunks = Iterator[bytes | memoryview]


def document_pieces(index: IndexRecord, messages: memoryview) -> Chunks:
    """The JSON of an extendable document, in pieces of the file of messages. Raises DamagedIndex."""
    root, *children = index.sessions
    return _object(root, messages, children)


def document_size(index: IndexRecord) -> int:
    """The bytes of that JSON."""
    root, *children = index.sessions
    sizes = [_size(child, 0, is_root=False) for child in children]
    return _size(root, size_of_list(len(sizes), sum(sizes)), is_root=True)


def _names(session: SessionRecord) -> list[str]:
    """The names of the fields; the messages of the session itself are always the last."""
    return [*dict.fromkeys((*session.fields, MESSAGES))]


def _object(session: SessionRecord, messages: memoryview, children: Sequence[SessionRecord] | None) -> Chunks:
    """The JSON of a session; of a child if it has no list of `children`."""
    start = b"{"
    for name in _names(session):
        yield start + msgspec.json.encode(name) + b":"
        if name == MESSAGES:
            yield from _list([piece_of(messages, each.place)] for each in records_of(session.pages))
        elif name == CHILDREN and children is not None:
            yield from _list(_object(child, messages, None) for child in children)
        else:
            yield memoryview(piece_of(messages, session.fields[name]))
        start = b","
    yield b"}"


def _list(items: Iterable[Iterable[msgspec.Raw | bytes | memoryview]]) -> Chunks:
    start = b"["
    for item in items:
        yield start
        yield from (piece if isinstance(piece, bytes) else memoryview(piece) for piece in item)
        start = b","
    yield b"]" if start == b"," else b"[]"


def _size(session: SessionRecord, children_size: int, *, is_root: bool) -> int:
    state = decode_state(session.after)
    sizes = {name: place.size for name, place in session.fields.items()}
    sizes[MESSAGES] = size_of_list(state.messages, state.size)
    if is_root and CHILDREN in sizes:
        sizes[CHILDREN] = children_size
    return size_of_object(sizes, sizes.values())
