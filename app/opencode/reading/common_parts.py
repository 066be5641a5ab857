"""What calls of tools and notices have in common in every generation of OpenCode."""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from app.opencode.fields import lenient, read_failure
from app.opencode.model import Notice, Status

EMPTY = Raw(b"{}")
MAX_ATTACHMENTS = 200
# As a list, names take many times their size in memory.
MAX_PATCH_BYTES = 1024 * 1024

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
    session_id: str | None = None


_read_metadata = lenient(_Metadata)
_SESSION_ID = re.compile(r"session_?id:\s*(ses_[A-Za-z0-9]{1,80})", re.IGNORECASE)


def status_of(name: str) -> Status:
    """Raises ValidationError for an unknown status."""
    if name not in STATUSES:
        raise msgspec.ValidationError(f"unknown status {name}")
    return STATUSES[name]


def partial_input(beginning: str) -> Raw:
    """The input of a call that is still being written: the beginning of its JSON, as a JSON string."""
    return Raw(msgspec.json.encode(beginning)) if beginning else EMPTY


def child_id(metadata: Raw, output: str) -> str | None:
    """The id of the session that a sub-agent runs in, from wherever tools and plugins write it."""
    fields = _read_metadata(metadata)
    recorded = fields.sessionId or fields.sessionID or fields.session_id
    if recorded:
        return recorded
    start = output.rfind("<task_metadata>")
    told = _SESSION_ID.search(output, start) if start >= 0 else None
    return told[1] if told else None


def patch_notice(id: str, files: Raw) -> Notice:
    """The files that an answer changed. Raises ValidationError if `files` is no list of names."""
    if len(memoryview(files)) > MAX_PATCH_BYTES:
        raise msgspec.ValidationError("too many files")
    names = msgspec.json.decode(files, type=list[str])
    label = f"Changed {len(names)} file{'' if len(names) == 1 else 's'}"
    return Notice(id=id, kind="patch", label=label, detail="\n".join(names))


def agent_notice(id: str, name: str) -> Notice:
    return Notice(id=id, kind="agent", label=f"@{name}")


def retry_notice(id: str, attempt: int, error: Raw) -> Notice:
    failure = read_failure(error)
    return Notice(id=id, kind="retry", label=f"Retry {attempt}: {failure.text if failure else 'unknown'}")


def compaction_notice(id: str, *, is_automatic: bool, detail: str = "") -> Notice:
    how = "automatically" if is_automatic else "by hand"
    return Notice(id=id, kind="compaction", label=f"Context compacted {how}", detail=detail)
