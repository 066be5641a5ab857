"""A document that is a list of the items of OpenCode's own share protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from app.opencode.encoding import UnreadableDocument
from app.opencode.fields import is_absent
from app.opencode.model import NOTHING
from app.opencode.sync_items import Item, Session
from app.opencode.sync_state import SyncState


class Contents(NamedTuple):
    """The parts of a document: a session, its messages, changed files, sub-agents' sessions, and models."""

    session: Raw
    messages: Sequence[Raw]
    diffs: Raw = NOTHING
    children: Raw = NOTHING
    models: Raw = NOTHING

    @property
    def size(self) -> int:
        """The bytes of all of these."""
        parts = (self.session, self.diffs, self.children, self.models, *self.messages)
        return sum(len(memoryview(part)) for part in parts)


def merge_items(items: Sequence[Raw]) -> Contents:
    """The items as the parts of one document. Raises UnreadableDocument when no session is among them."""
    session = _last_session(items)
    head = msgspec.json.decode(session, type=Session)
    state = SyncState(head.id)
    for raw in items:
        try:
            state.add(raw)
        except msgspec.ValidationError:
            continue
    is_v2 = state.batch or not is_absent(head.location)
    messages = [*state.batch.values()] if is_v2 else state.messages()
    return Contents(session, messages, state.diffs, models=state.models)


def _last_session(items: Sequence[Raw]) -> Raw:
    for raw in reversed(items):
        try:
            item = msgspec.json.decode(raw, type=Item)
        except msgspec.ValidationError:
            continue
        if item.type == "session":
            return item.data
    raise UnreadableDocument("The document is not a session of OpenCode.")
