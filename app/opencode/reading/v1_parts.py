"""Readers of the parts of V1 messages, one for each type; an unknown or broken part stays JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, is_absent, read_span, safe_id
from app.opencode.limits import objects
from app.opencode.model import Block, File, Notice, Reasoning, Text, Tool, Unknown, file_id
from app.opencode.provider_data import without_provider_data
from app.opencode.reading.common_parts import (
    EMPTY,
    MAX_ATTACHMENTS,
    agent_notice,
    child_id,
    compaction_notice,
    partial_input,
    patch_notice,
    retry_notice,
    status_of,
)
from app.opencode.reading.pictures import take_pictures


class _Head(msgspec.Struct, frozen=True):
    type: str = "part"
    id: str = ""


class _Text(msgspec.Struct, frozen=True):
    text: str
    synthetic: bool | None = None
    ignored: bool | None = None


class _Reasoning(msgspec.Struct, frozen=True):
    text: str = ""
    time: Raw = ABSENT


class _File(msgspec.Struct, frozen=True):
    url: str
    mime: str = ""
    filename: str | None = None


class _State(msgspec.Struct, frozen=True):
    status: str
    input: Raw = EMPTY
    raw: str = ""
    title: str | None = None
    output: str | None = None
    error: str | None = None
    metadata: Raw = EMPTY
    time: Raw = ABSENT
    attachments: Raw = ABSENT


class _Tool(msgspec.Struct, frozen=True):
    tool: str
    state: _State


class _Patch(msgspec.Struct, frozen=True):
    files: Raw = Raw(b"[]")


class _Agent(msgspec.Struct, frozen=True):
    name: str


class _Retry(msgspec.Struct, frozen=True):
    attempt: int = 0
    error: Raw = ABSENT


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
    return Reasoning(id=id, text=part.text, milliseconds=read_span(part.time).duration)


def _read_file(id: str, part: _File) -> File:
    return File(id=id, url=part.url, mime=part.mime, name=part.filename or "")


def _read_tool(id: str, part: _Tool) -> Block:
    state = part.state
    status = status_of(state.status)
    time = read_span(state.time)
    files = _attachments(id, state.attachments)
    output, pictures = take_pictures(id, state.output or "", len(files))
    return Tool(
        id=id,
        name=part.tool,
        status=status,
        metadata=state.metadata,
        title=state.title or "",
        input=partial_input(state.raw) if status == "pending" and state.raw else state.input,
        output=output,
        error=state.error or "",
        milliseconds=time.duration,
        cleared=time.compacted is not None,
        files=[*files, *pictures],
        child_id=child_id(state.metadata, state.output or ""),
    )


def _attachments(id: str, field: Raw) -> list[File]:
    if is_absent(field):
        return []
    files = [msgspec.json.decode(file, type=_File) for file in objects(field, MAX_ATTACHMENTS)]
    return [_read_file(file_id(id, number), file) for number, file in enumerate(files)]


def _read_subtask(id: str, part: _Subtask) -> Block:
    command = f" (/{part.command})" if part.command else ""
    label = f"Sub-task for {part.agent or 'an agent'}{command}: {part.description}"
    return Notice(id=id, kind="subtask", label=label, detail=part.prompt)


# For each type of part, the fields that are read and the function that makes a block of them.
READERS: dict[str, tuple[type[msgspec.Struct], Callable[[str, Any], Block | None]]] = {
    "text": (_Text, _read_text),
    "reasoning": (_Reasoning, _read_reasoning),
    "file": (_File, _read_file),
    "tool": (_Tool, _read_tool),
    "patch": (_Patch, lambda id, part: patch_notice(id, part.files)),
    "agent": (_Agent, lambda id, part: agent_notice(id, part.name)),
    "retry": (_Retry, lambda id, part: retry_notice(id, part.attempt, part.error)),
    "compaction": (_Compaction, lambda id, part: compaction_notice(id, is_automatic=part.auto)),
    "subtask": (_Subtask, _read_subtask),
    "step-start": (_Head, lambda _id, _part: None),
    "step-finish": (_Head, lambda _id, _part: None),
    "snapshot": (_Head, lambda _id, _part: None),
}


def read_part(part: Raw, fallback_id: str) -> Block | None:
    """The block a part becomes; None for the bookkeeping of OpenCode and for empty texts."""
    try:
        head = msgspec.json.decode(part, type=_Head)
    except (msgspec.ValidationError, RecursionError):
        return _unknown(part, fallback_id, "part")
    id = safe_id(head.id, fallback_id)
    if head.type not in READERS:
        return _unknown(part, id, head.type)
    fields, read = READERS[head.type]
    try:
        return read(id, msgspec.json.decode(part, type=fields))
    except (msgspec.ValidationError, RecursionError):
        return _unknown(part, id, head.type)


def _unknown(part: Raw, id: str, label: str) -> Unknown:
    return Unknown(id=id, label=label, json=without_provider_data(part))
