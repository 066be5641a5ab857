"""Readers of the parts of V2 messages: the content of answers, and what is attached to prompts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, is_absent, lenient, read_failure, read_span, read_text
from app.opencode.limits import objects
from app.opencode.model import NOTHING, Block, File, Notice, Reasoning, Text, Tool, Unknown, file_id
from app.opencode.provider_data import without_provider_data
from app.opencode.reading.common_parts import (
    EMPTY,
    MAX_ATTACHMENTS,
    agent_notice,
    child_id,
    patch_notice,
    retry_notice,
    status_of,
)
from app.opencode.reading.pictures import take_pictures

EMPTY_TEXT = Raw(b'""')


class _Head(msgspec.Struct, frozen=True):
    type: str = "content"


class _Text(msgspec.Struct, frozen=True):
    text: str


class _Reasoning(msgspec.Struct, frozen=True):
    text: str = ""
    time: Raw = ABSENT


class _State(msgspec.Struct, frozen=True):
    """`metadata` was called `structured`; old calls have a `result` instead of content."""

    status: str
    input: Raw = EMPTY
    metadata: Raw = ABSENT
    structured: Raw = ABSENT
    content: Raw = ABSENT
    attachments: Raw = ABSENT
    result: Raw = ABSENT
    error: Raw = ABSENT


class _Tool(msgspec.Struct, frozen=True):
    name: str
    state: _State
    time: Raw = ABSENT


class _Source(msgspec.Struct, frozen=True):
    uri: str = ""


class _File(msgspec.Struct, frozen=True):
    """Its contents are `data` in base64, or at `uri` (perhaps a data: URL), or at `source`."""

    uri: str = ""
    data: str = ""
    mime: str = ""
    name: str | None = None
    source: Raw = ABSENT


class _Item(msgspec.Struct, frozen=True):
    """What a tool returned: a text or a file."""

    type: str
    text: str = ""
    uri: str = ""
    mime: str = ""
    name: str | None = None


class _Result(msgspec.Struct, frozen=True):
    value: Raw = ABSENT


class _Agent(msgspec.Struct, frozen=True):
    name: str


class _Skill(msgspec.Struct, frozen=True):
    name: str
    text: str | None = None


class _Retry(msgspec.Struct, frozen=True):
    attempt: int = 0
    error: Raw = ABSENT


class _Snapshot(msgspec.Struct, frozen=True):
    files: Raw = NOTHING


_read_source = lenient(_Source)
_read_result = lenient(_Result)


def _text(id: str, content: _Text) -> Block | None:
    return Text(id=id, text=content.text) if content.text.strip() else None


def _reasoning(id: str, content: _Reasoning) -> Block | None:
    # Encrypted reasoning arrives as an empty text.
    if not content.text.strip():
        return None
    return Reasoning(id=id, text=content.text, milliseconds=read_span(content.time).duration)


def _tool(id: str, content: _Tool) -> Block:
    state, time = content.state, read_span(content.time)
    status = status_of(state.status)
    metadata = next((field for field in (state.metadata, state.structured) if not is_absent(field)), EMPTY)
    items = [msgspec.json.decode(item, type=_Item) for item in listed(state.content)]
    files = [_File(uri=item.uri, mime=item.mime, name=item.name) for item in items if item.type == "file"]
    files += [msgspec.json.decode(file, type=_File) for file in listed(state.attachments)]
    failure = read_failure(state.error)
    error = failure.text if failure else ""
    output = "\n".join(item.text for item in items if item.type == "text") or _result_text(state.result)
    text, pictures = take_pictures(id, output, len(files))
    return Tool(
        id=id,
        name=content.name,
        status=status,
        # Input that is still being written is a string: the beginning of its JSON.
        input=EMPTY if state.input == EMPTY_TEXT else state.input,
        metadata=metadata,
        # What the model got when a call failed may be the error alone.
        output="" if error and output.strip() == error.strip() else text,
        error=error,
        milliseconds=time.duration,
        cleared=time.pruned is not None,
        files=[*(_file(file_id(id, number), file) for number, file in enumerate(files)), *pictures],
        child_id=child_id(metadata, output),
    )


def listed(field: Raw) -> list[Raw]:
    """The items of an optional list. Raises ValidationError for anything but a list, or one too long."""
    return [] if is_absent(field) else objects(field, MAX_ATTACHMENTS)


def _result_text(result: Raw) -> str:
    return read_text(result) or read_text(_read_result(result).value)


def _file(id: str, file: _File) -> File:
    url = f"data:{file.mime};base64,{file.data}" if file.data else file.uri or _read_source(file.source).uri
    return File(id=id, url=url, mime=file.mime, name=file.name or "")


def _skill(id: str, skill: _Skill) -> Notice:
    return Notice(id=id, kind="skill", label=f"Skill {skill.name}", detail=skill.text or "")


def _changed_files(id: str, snapshot: _Snapshot) -> Notice | None:
    return None if snapshot.files == NOTHING else patch_notice(id, snapshot.files)


Reader = Callable[[Raw, str], Block | None]


def reader(label: str, shape: type[Any], read: Callable[[str, Any], Block | None]) -> Reader:
    """A reader of one kind of part; a broken one stays JSON under its `label`."""
    decode = msgspec.json.Decoder(shape).decode

    def read_part(part: Raw, id: str) -> Block | None:
        try:
            return read(id, decode(part))
        except (msgspec.ValidationError, RecursionError):
            return unknown(part, id, label)

    return read_part


def unknown(part: Raw, id: str, label: str) -> Unknown:
    return Unknown(id=id, label=label, json=without_provider_data(part))


CONTENT: dict[str, Reader] = {
    "text": reader("text", _Text, _text),
    "reasoning": reader("reasoning", _Reasoning, _reasoning),
    "tool": reader("tool", _Tool, _tool),
}

read_file = reader("file", _File, _file)
read_agent = reader("agent", _Agent, lambda id, agent: agent_notice(id, agent.name))
read_skill = reader("skill", _Skill, _skill)
read_retry = reader("retry", _Retry, lambda id, retry: retry_notice(id, retry.attempt, retry.error))
read_snapshot = reader("snapshot", _Snapshot, _changed_files)
read_prompt = reader("text", str, lambda id, text: Text(id=id, text=text) if text.strip() else None)


def read_content(part: Raw, id: str) -> Block | None:
    """One item of the content of an answer."""
    try:
        type = msgspec.json.decode(part, type=_Head).type
    except (msgspec.ValidationError, RecursionError):
        type = "content"
    return CONTENT[type](part, id) if type in CONTENT else unknown(part, id, type)
