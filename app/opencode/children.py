"""Which sessions of sub-agents the calls of a session lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Raw

from app.opencode.model import MAX_PART_BYTES, Conversation, Step, Tool

_SESSION_ID = re.compile(rb"ses_[A-Za-z0-9]+")


def names_child(part: Raw, conversation: Conversation) -> bool:
    """Whether the JSON of a part contains the id of a sub-agent's session; most parts are ruled out so."""
    json = memoryview(part)
    return len(json) <= MAX_PART_BYTES and any(
        id in conversation.children and id != conversation.id
        for id in (match.group().decode() for match in _SESSION_ID.finditer(bytes(json)))
    )


def _child_ids(step: Step, conversation: Conversation) -> Iterator[str]:
    """The sessions that the calls of a step lead to, whatever the tool."""
    for index, part in enumerate(step.parts, start=step.first_part):
        if names_child(part, conversation):
            block = step.read_part(part, index)
            if isinstance(block, Tool) and block.child_id and block.child_id in conversation.children:
                yield block.child_id


def uncalled_children(conversation: Conversation) -> list[str]:
    """The ids of children that no call leads to, nor another of these; a reader finds them only in a list."""
    if not conversation.children:
        return []
    reached = {conversation.id}
    _reach(conversation, reached)
    uncalled = []
    for id, child in conversation.children.items():
        if id not in reached:
            uncalled.append(id)
            reached.add(id)
            _reach(child, reached)
    return uncalled


def _reach(start: Conversation, reached: set[str]) -> None:
    """Adds to `reached` what the calls of `start` lead to, and theirs."""
    waiting = [start]
    for session in waiting:
        for id in (id for step in session.steps for id in _child_ids(step, session)):
            if id not in reached:
                reached.add(id)
                waiting.append(session.children[id])
