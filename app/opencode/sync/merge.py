"""Merges what OpenCode's own protocol sends into the document of the share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON
from app.opencode.fields import ABSENT, is_absent
from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, Counter, objects
from app.opencode.model import NOTHING
from app.opencode.sync_items import Merged, encoded


@dataclass(frozen=True)
class Head:
    """What a document says of itself; `revision` is the number of the last batch in it, times in epoch ms."""

    share_id: str
    session_id: str
    created_at: int
    updated_at: int
    revision: int


class _Stamp(msgspec.Struct, frozen=True):
    createdAt: int = 0  # noqa: N815 - names here and below are the document's
    revision: int = 0


class _Document(msgspec.Struct, frozen=True):
    session: Raw = ABSENT
    messages: Raw = NOTHING
    diffs: Raw = NOTHING
    models: Raw = NOTHING
    others: Raw = NOTHING


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message of V1 in a document; one with anything else in it is kept as it came."""

    info: Raw
    parts: Raw = NOTHING


def revision_of(document: JSON, created_at: int) -> int:
    """The number of the last batch in the document of a share made at `created_at` (epoch ms), else 0."""
    stamp = msgspec.json.decode(document, type=_Stamp)
    return stamp.revision if stamp.createdAt == created_at else 0


def merged(document: JSON, batches: Iterable[bytes], head: Head) -> bytes:
    """The document, `{}` at first, with the batches in it, each a JSON list of items.

    Of each key the last write counts; keys of the document that are nobody's here, such as `children`, stay.

    Raises UnreadableDocument when there is too much, ValidationError when something is not as it was stored.
    """
    state = Merged(head.session_id)
    _load(state, msgspec.json.decode(document, type=_Document))
    for batch in batches:
        for item in msgspec.json.decode(batch, type=list[Raw]):
            state.add(item)
    others = [*_others(state)]
    Counter(MAX_PARTS, "parts").add(len(others))
    return msgspec.json.encode(
        {
            **msgspec.json.decode(document, type=dict[str, Raw]),
            "shareId": head.share_id,
            "sessionId": head.session_id,
            "createdAt": head.created_at,
            "updatedAt": head.updated_at,
            "revision": head.revision,
            # Whatever comes first, there is a page to see.
            "session": state.session or {"id": head.session_id},
            "messages": state.batch or state.messages(),
            "diffs": state.diffs,
            "models": state.models,
            "others": others,
        }
    )


def _load(state: Merged, document: _Document) -> None:
    """Takes up where the merging of a document ended."""
    if not is_absent(document.session):
        state.session = document.session
    state.diffs, state.models = document.diffs, document.models
    batch = []
    for raw in objects(document.messages, MAX_MESSAGES):
        try:
            stored = msgspec.json.decode(raw, type=_Stored)
            state.add_message(stored.info, stored.parts)
        except msgspec.ValidationError:
            batch.append(raw)
    state.batch = batch
    for raw in objects(document.others, MAX_PARTS):
        state.add(raw)


def _others(state: Merged) -> Iterator[Raw]:
    """What has no place in the session, as the items it came in; some of it may get one yet."""
    yield from state.others.values()
    yield from state.orphans()
    if state.batch:
        for message in state.messages():
            stored = msgspec.json.decode(message, type=_Stored)
            yield encoded("message", stored.info)
            yield from (encoded("part", part) for part in objects(stored.parts, MAX_PARTS))
