"""The parts of a V1 message, each type by its own reader; an unknown or broken one stays JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from app.session.model import Block, File, Notice, Reasoning, Status, Text, Tool, Unknown

STATUSES: dict[str, Status] = {
    "pending": "pending",
    "running": "running",
    "completed": "completed",
    "error": "error",
}


# A list in a part takes many times its size in memory, so parts that are lists have caps of their own.
MAX_PATCH_BYTES = 1024 * 1024
MAX_ATTACHMENTS = 200

_ID = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class _Head(msgspec.Struct, frozen=True):
    type: str = "part"
    id: str = ""


class _Text(msgspec.Struct, frozen=True):
    text: str
    synthetic: bool | None = None
    ignored: bool | None = None


class _Span(msgspec.Struct, frozen=True):
    start: float | None = None
    end: float | None = None
    compacted: float | None = None


class _Reasoning(msgspec.Struct, frozen=True):
    text: str = ""
    time: _Span = _Span()


class _File(msgspec.Struct, frozen=True):
    url: str
    id: str = ""
    mime: str = ""
    filename: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    sessionId: str | None = None  # noqa: N815 - names here and below are OpenCode's
    sessionID: str | None = None  # noqa: N815


class _State(msgspec.Struct, frozen=True):
    status: str
    input: Raw = Raw(b"{}")
    raw: str = ""
    title: str | None = None
    output: str | None = None
    error: str | None = None
    metadata: Raw = Raw(b"{}")
    time: _Span = _Span()
    attachments: list[_File] | None = None


class _Tool(msgspec.Struct, frozen=True):
    tool: str
    state: _State


class _Patch(msgspec.Struct, frozen=True):
    files: list[str] = []


class _Agent(msgspec.Struct, frozen=True):
    name: str


class _ErrorData(msgspec.Struct, frozen=True):
    message: str = ""


class _Error(msgspec.Struct, frozen=True):
    name: str = ""
    data: _ErrorData = _ErrorData()


class _Retry(msgspec.Struct, frozen=True):
    attempt: int = 0
    error: _Error = _Error()


class _Compaction(msgspec.Struct, frozen=True):
    auto: bool = False


class _Subtask(msgspec.Struct, frozen=True):
    prompt: str = ""
    description: str = ""
    agent: str = ""
    command: str | None = None


def _read_text(id: str, part: _Text) -> Block | None:
    if not part.text.strip():
        return None
    return Text(id=id, text=part.text, synthetic=bool(part.synthetic), ignored=bool(part.ignored))


def _read_reasoning(id: str, part: _Reasoning) -> Block | None:
    # Encrypted reasoning arrives as an empty text.
    if not part.text.strip():
        return None
    return Reasoning(id=id, text=part.text, milliseconds=_duration(part.time))


def _read_file(id: str, part: _File) -> File:
    return File(id=id, url=part.url, mime=part.mime, name=part.filename or "")


def _read_tool(id: str, part: _Tool) -> Block:
    state = part.state
    status = STATUSES.get(state.status)
    if status is None:
        raise msgspec.ValidationError(f"unknown status {state.status}")
    return Tool(
        id=id,
        name=part.tool,
        status=status,
        metadata=state.metadata,
        title=state.title or "",
        # A call that was still being written has no input yet, only the beginning of its JSON.
        input=Raw(msgspec.json.encode(state.raw)) if status == "pending" and state.raw else state.input,
        output=state.output or "",
        error=state.error or "",
        milliseconds=_duration(state.time),
        cleared=state.time.compacted is not None,
        files=[
            _read_file(safe_id(file.id, f"{id}-file{number}"), file)
            for number, file in enumerate(state.attachments or ())
        ],
        child_id=_child_id(state.metadata),
    )


def _read_patch(id: str, part: _Patch) -> Block:
    count = len(part.files)
    label = f"Changed {count} file{'' if count == 1 else 's'}"
    return Notice(id=id, kind="patch", label=label, detail="\n".join(part.files))


def _read_agent(id: str, part: _Agent) -> Block:
    return Notice(id=id, kind="agent", label=f"@{part.name}")


def _read_retry(id: str, part: _Retry) -> Block:
    reason = part.error.data.message or part.error.name
    return Notice(id=id, kind="retry", label=f"Retry {part.attempt}: {reason}")


def _read_compaction(id: str, part: _Compaction) -> Block:
    how = "automatically" if part.auto else "by hand"
    return Notice(id=id, kind="compaction", label=f"Context compacted {how}")


def _read_subtask(id: str, part: _Subtask) -> Block:
    command = f" (/{part.command})" if part.command else ""
    label = f"Sub-task for {part.agent or 'an agent'}{command}: {part.description}"
    return Notice(id=id, kind="subtask", label=label, detail=part.prompt)


def _read_nothing(id: str, part: _Head) -> None:
    return None


# Each type of part: the fields that are read, and what becomes of them.
READERS: dict[str, tuple[type[msgspec.Struct], Callable[[str, Any], Block | None]]] = {
    "text": (_Text, _read_text),
    "reasoning": (_Reasoning, _read_reasoning),
    "file": (_File, _read_file),
    "tool": (_Tool, _read_tool),
    "patch": (_Patch, _read_patch),
    "agent": (_Agent, _read_agent),
    "retry": (_Retry, _read_retry),
    "compaction": (_Compaction, _read_compaction),
    "subtask": (_Subtask, _read_subtask),
    "step-start": (_Head, _read_nothing),
    "step-finish": (_Head, _read_nothing),
    "snapshot": (_Head, _read_nothing),
}


def read_part(part: Raw, fallback_id: str) -> Block | None:
    """The block a part becomes; None for the bookkeeping of OpenCode and for empty texts."""
    try:
        head = msgspec.json.decode(part, type=_Head)
    except (msgspec.ValidationError, RecursionError):
        return Unknown(id=fallback_id, label="part", json=part)
    id = safe_id(head.id, fallback_id)
    if head.type not in READERS or _is_overfull(head.type, part):
        return Unknown(id=id, label=head.type, json=part)
    fields, read = READERS[head.type]
    try:
        return read(id, msgspec.json.decode(part, type=fields))
    except (msgspec.ValidationError, RecursionError):
        return Unknown(id=id, label=head.type, json=part)


def safe_id(id: str, fallback: str) -> str:
    """`id` where it can stand in an address, as all of OpenCode's can."""
    return id if _ID.fullmatch(id) else fallback


def _is_overfull(type: str, part: Raw) -> bool:
    encoded = memoryview(part)
    if type == "patch":
        return len(encoded) > MAX_PATCH_BYTES
    # Inside a string the quotes would be escaped, so this counts keys, one for each attachment.
    return type == "tool" and bytes(encoded).count(b'"url"') > MAX_ATTACHMENTS


def _child_id(metadata: Raw) -> str | None:
    try:
        found = msgspec.json.decode(metadata, type=_Metadata)
    except msgspec.ValidationError:
        return None
    return found.sessionId or found.sessionID


def _duration(time: _Span) -> int | None:
    if time.start is None or time.end is None:
        return None
    return max(0, int(time.end - time.start))
