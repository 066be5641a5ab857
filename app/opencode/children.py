"""Which sessions of sub-agents the calls of a session lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Raw

from app.opencode.model import MAX_PART_BYTES, Conversation

_SESSION_ID = re.compile(rb"ses_[A-Za-z0-9]+")


def names_child(part: Raw, conversation: Conversation) -> bool:
    """Whether the JSON of a part contains the id of a sub-agent's session; most parts are ruled out so."""
    json = memoryview(part)
    return len(json) <= MAX_PART_BYTES and any(
        id in conversation.children and id != conversation.id
        for id in (match.group().decode() for match in _SESSION_ID.finditer(bytes(json)))
    )


def may_name_session(part: bytes, own_id: str) -> bool:
    """Whether the JSON of a part of the session `own_id` may contain the id of another."""
    own = part.count(b'"sessionID":"%b"' % own_id.encode()) if own_id.startswith("ses_") else 0
    return part.count(b"ses_") > own


def uncalled_children(session_id: str, called: Mapping[str, Iterable[str]]) -> list[str]:
    """The ids of children that no call leads to, nor another of these; a reader finds them only in a list.

    `called` says of the session and each child which sessions its calls lead to.
    """
    reached: set[str] = set()
    _reach(session_id, called, reached)
    uncalled = []
    for id in called:
        if id not in reached:
            uncalled.append(id)
            _reach(id, called, reached)
    return uncalled


def _reach(start: str, called: Mapping[str, Iterable[str]], reached: set[str]) -> None:
    """Adds to `reached` a session, what its calls lead to, and theirs."""
    waiting = [start]
    reached.add(start)
    for session_id in waiting:
        for id in called[session_id]:
            if id in called and id not in reached:
                reached.add(id)
                waiting.append(id)
