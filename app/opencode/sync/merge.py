"""Merges sync batches into the document of a share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import astuple

from app.opencode.encoding import JSON
from app.opencode.fields import ABSENT, is_absent
from app.opencode.json_pieces import PartlyEncoded, encode_pieces
from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, Counter, object_fields, objects
from app.opencode.model import NOTHING
from app.opencode.sync.undone import add_batch, delete_from
from app.opencode.sync_state import StoredMessage, SyncState, by_id

COMMA = memoryview(b",")


@dataclass(frozen=True)
class DocumentHeader:
    """The fields that a document has about itself; `revision` numbers its last batch, times are epoch ms."""

    share_id: str
    session_id: str
    created_at: int
    updated_at: int
    revision: int


class StoredHeader(msgspec.Struct, frozen=True, rename="camel"):
    """What a stored document says about itself: when its share was created, and its last batch (epoch ms)."""

    created_at: int = 0
    updated_at: int = 0
    revision: int = 0


class _Document(msgspec.Struct, frozen=True):
    session: Raw = ABSENT
    messages: Raw = NOTHING
    diffs: Raw = NOTHING
    models: Raw = NOTHING
    others: Raw = NOTHING
    children: Raw = NOTHING


def header_of(document: JSON) -> StoredHeader:
    """The header of a stored document. Raises ValidationError."""
    return msgspec.json.decode(document, type=StoredHeader)


def merge_batches(
    document: JSON, batches: Iterable[JSON], header: DocumentHeader
) -> list[bytes | memoryview]:
    """The document, `{}` at first, with the batches merged in, each a JSON list of items.

    It is JSON in pieces, which refer to what they came in: together they may be as large as a session can be.
    Fields of the document that are not merged here stay. Raises UnreadableDocument when there is too much,
    ValidationError when something is not as it was stored.
    """
    state = SyncState(header.session_id)
    stored = msgspec.json.decode(document, type=_Document)
    _load(state, stored)
    for batch in batches:
        if first_deleted := add_batch(state, msgspec.json.decode(batch, type=list[Raw])):
            delete_from(state, first_deleted)
    fields: dict[str, Any] = {**_other_fields(document, stored), **fields_of(state, header)}
    if state.children:
        fields["children"] = state.children.applied_to(stored.children)
    messages = [[memoryview(raw)] for raw in state.batch.values()] or state.pieces_of_messages()
    pieces = [piece for message in messages for piece in (COMMA, *message)][1:]
    *head, end = encode_pieces(fields)
    return [*head, b',"messages":[', *pieces, b"]", end]


def fields_of(state: SyncState, header: DocumentHeader) -> dict[str, Any]:
    """What a document has beside its messages and children. Raises UnreadableDocument."""
    others = [*_others(state)]
    Counter(MAX_PARTS, "parts").add(len(others))
    return {
        "shareId": header.share_id,
        "sessionId": header.session_id,
        "createdAt": header.created_at,
        "updatedAt": header.updated_at,
        "revision": header.revision,
        # Whatever comes first, there is a page to see.
        "session": state.session or {"id": header.session_id},
        "diffs": state.diffs,
        "models": state.models,
        "others": others,
    }


def _other_fields(document: JSON, stored: _Document) -> dict[str, Raw]:
    """What a document has beside its messages."""
    fields = object_fields(document, sum(len(memoryview(value)) for value in astuple(stored)))
    fields.pop("messages", None)
    return fields


def _load(state: SyncState, document: _Document) -> None:
    """Continues from the state in which a document was stored."""
    if not is_absent(document.session):
        state.session = document.session
    state.diffs, state.models = document.diffs, document.models
    batch = []
    for raw in objects(document.messages, MAX_MESSAGES):
        try:
            state.put_stored(raw)
        except msgspec.ValidationError:
            batch.append(raw)
    state.batch = by_id(batch)
    for raw in objects(document.others, MAX_PARTS):
        state.add(raw)


def _others(state: SyncState) -> Iterator[PartlyEncoded]:
    """What belongs nowhere in the session yet, as the items it came in."""
    yield from state.others.values()
    yield from state.orphans()
    if state.batch:
        for message in state.messages():
            stored = msgspec.json.decode(message, type=StoredMessage)
            yield {"type": "message", "data": stored.info}
            yield from ({"type": "part", "data": part} for part in objects(stored.parts, MAX_PARTS))
