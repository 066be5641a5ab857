"""What batches change in a document, of which only what they name is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import Raw

from app.opencode.child_changes import ChildChanges
from app.opencode.encoding import JSON, UnreadableDocument
from app.opencode.json_pieces import encode_pieces
from app.opencode.limits import MAX_PARTS, objects
from app.opencode.model import NOTHING
from app.opencode.overlay import Overlay
from app.opencode.sync.merge import DocumentHeader, fields_of
from app.opencode.sync.undone import add_batch
from app.opencode.sync_items import Item
from app.opencode.sync_state import SyncState


class NeedsWholeDocument(Exception):
    """Changes cannot be merged into an index; the whole document has to be merged and read."""


class ChangedDocument(Protocol):
    """A document to which something is merged."""

    def field(self, name: str) -> Raw | None:
        """The JSON of a field beside the messages."""

    def message(self, id: str) -> Raw | None:
        """The JSON of a message of the session."""


@dataclass(frozen=True)
class DocumentChanges:
    """The fields of a document beside its messages by then, and the changes in these and in children."""

    fields: Mapping[str, Raw]
    messages: Overlay[Raw]
    children: ChildChanges


def read_changes(
    document: ChangedDocument, batches: Iterable[JSON], header: DocumentHeader
) -> DocumentChanges:
    """What batches change in a document, each a JSON list of items. Raises NeedsWholeDocument."""
    state = SyncState(
        header.session_id,
        document.field("session"),
        document.field("diffs") or NOTHING,
        document.field("models") or NOTHING,
        read_stored=document.message,
    )
    try:
        for raw in objects(document.field("others") or NOTHING, MAX_PARTS):
            state.add(raw)
        for batch in batches:
            items = msgspec.json.decode(batch, type=list[Raw])
            # Messages of OpenCode 2 replace all that there are.
            if any(msgspec.json.decode(raw, type=Item).type == "messages" for raw in items):
                raise NeedsWholeDocument
            if add_batch(state, items):
                raise NeedsWholeDocument
        fields = fields_of(state, header)
    except (msgspec.ValidationError, UnreadableDocument):
        raise NeedsWholeDocument from None
    return DocumentChanges(
        {name: Raw(b"".join(encode_pieces(value))) for name, value in fields.items()},
        _changed_messages(state),
        state.children,
    )


def _changed_messages(state: SyncState) -> Overlay[Raw]:
    changed = Overlay[Raw]()
    for id in state.deleted:
        changed.delete(id)
    for id, message in (*state.batch.items(), *state.changed_entries()):
        changed.put(id, message)
    return changed
