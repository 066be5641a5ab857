"""What the calls of tools have in common in every generation."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.fields import lenient
from app.opencode.model import Status

EMPTY = Raw(b"{}")
MAX_ATTACHMENTS = 200

STATUSES: dict[str, Status] = {
    "pending": "pending",
    "streaming": "pending",
    "running": "running",
    "completed": "completed",
    "error": "error",
}


class _Metadata(msgspec.Struct, frozen=True):
    sessionId: str | None = None  # noqa: N815 - names here are OpenCode's
    sessionID: str | None = None  # noqa: N815


_read_metadata = lenient(_Metadata)


def status_of(name: str) -> Status:
    """Raises ValidationError for a status that nobody knows."""
    if name not in STATUSES:
        raise msgspec.ValidationError(f"unknown status {name}")
    return STATUSES[name]


def partial_input(beginning: str) -> Raw:
    """The input of a call that is still being written: only the beginning of its JSON, as a string."""
    return Raw(msgspec.json.encode(beginning)) if beginning else EMPTY


def child_id(metadata: Raw) -> str | None:
    """The session that a task or sub-agent runs in."""
    found = _read_metadata(metadata)
    return found.sessionId or found.sessionID
