"""Messages that were undone, which OpenCode deletes without sending that."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Raw

from app.opencode.reading.conversation import undone_from
from app.opencode.sync_state import SyncState


def add_batch(state: SyncState, items: Iterable[Raw]) -> str:
    """Merges the items of a batch, and returns the id of the first message that OpenCode has deleted with it.

    It deletes what was undone when the next prompt comes, and sends that prompt and a session in which
    nothing is undone any more. Where messages were restored instead, no prompt comes within the second that a
    batch takes. Empty if none was deleted. Raises ValidationError when an item is broken.
    """
    undone = _undone_from(state)
    state.added.clear()
    for raw in items:
        state.add(raw)
    return undone if state.added and not _undone_from(state) else ""


def delete_from(state: SyncState, id: str) -> None:
    """Deletes a message of V1 and those after it, but not those that came with the last batch."""
    if first := state.entries.get(id):
        place = (first.created, id)
        later = [each for each, entry in state.entries.items() if (entry.created, each) >= place]
        for each in later:
            if each not in state.added:
                state.delete_message(each)


def _undone_from(state: SyncState) -> str:
    return undone_from(state.session) if state.session else ""
