"""Readers of V2 messages that are neither prompt nor answer: what OpenCode and its user did in between."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, lenient, read_model, read_span
from app.opencode.model import Block, Notice, Status, Text, Tool
from app.opencode.reading.common_parts import compaction_notice
from app.opencode.reading.v2_parts import Reader, reader


class _Said(msgspec.Struct, frozen=True):
    text: str
    description: str | None = None


class _ShellOutput(msgspec.Struct, frozen=True):
    output: str = ""
    truncated: bool = False


class _Shell(msgspec.Struct, frozen=True):
    """Its output is a string, or an object with the string in it; only the newer variant has a status."""

    command: str
    output: str | _ShellOutput | None = None
    status: str | None = None
    exit: int | None = None
    time: Raw = ABSENT


class _Compaction(msgspec.Struct, frozen=True):
    """Only the newer variant has a status; `recent` repeats the messages before it and is not read.

    Its error is the failure of the step, as in `idle`.
    """

    status: str = "completed"
    reason: str = ""
    summary: str = ""


class _Agent(msgspec.Struct, frozen=True):
    agent: str
    previous: str | None = None


class _Model(msgspec.Struct, frozen=True):
    model: Raw
    previous: Raw = ABSENT


class _Place(msgspec.Struct, frozen=True):
    directory: str = ""


class _Location(msgspec.Struct, frozen=True):
    location: _Place
    subpath: str | None = None
    previous: Raw = ABSENT


class _PreviousLocation(msgspec.Struct, frozen=True):
    location: _Place = _Place()
    subpath: str | None = None


_read_previous = lenient(_PreviousLocation)


class _Skill(msgspec.Struct, frozen=True):
    name: str = ""
    skill: str = ""
    text: str = ""


class _Idle(msgspec.Struct, frozen=True):
    outcome: str = ""


def _synthetic(id: str, said: _Said) -> Block | None:
    if said.description:
        return Notice(id=id, kind="system", label=said.description, detail=said.text)
    return Text(id=id, text=said.text, synthetic=True) if said.text.strip() else None


def _system(id: str, said: _Said) -> Block:
    return Notice(id=id, kind="system", label=said.description or "System message", detail=said.text)


def _shell(id: str, shell: _Shell) -> Block:
    """A command that the user ran, as a call of the shell tool."""
    time = read_span(shell.time)
    output = _ShellOutput(shell.output or "") if not isinstance(shell.output, _ShellOutput) else shell.output
    status, error = SHELL_STATUSES.get(shell.status or _older_status(time.completed), ("completed", ""))
    metadata = {"exit": shell.exit, "truncated": output.truncated}
    return Tool(
        id=id,
        name="shell",
        status=status,
        input=Raw(msgspec.json.encode({"command": shell.command})),
        metadata=Raw(msgspec.json.encode(metadata)),
        output=output.output,
        error=error,
        milliseconds=time.duration,
    )


def _older_status(completed: float | None) -> str:
    return "running" if completed is None else "exited"


SHELL_STATUSES: dict[str, tuple[Status, str]] = {
    "running": ("running", ""),
    "exited": ("completed", ""),
    "timeout": ("error", "The command ran out of time."),
    "killed": ("error", "The command was stopped."),
}


def _compaction(id: str, compaction: _Compaction) -> Block:
    if compaction.status == "failed":
        return Notice(id=id, kind="compaction", label="Compacting the context failed")
    if compaction.status in ("running", "pending"):
        return Notice(id=id, kind="compaction", label="Compacting the context", detail=compaction.summary)
    return compaction_notice(id, is_automatic=compaction.reason == "auto", detail=compaction.summary)


def _switch(id: str, what: str, to: str, previous: str) -> Notice | None:
    """What changed; nothing where OpenCode records that it stayed as it was."""
    if to == previous:
        return None
    before = f" (before: {previous})" if previous else ""
    return Notice(id=id, kind="switch", label=f"Switched to {what} {to}{before}")


def _location(id: str, moved: _Location) -> Block | None:
    previous = _read_previous(moved.previous)
    return _switch(
        id, "folder", _place(moved.location, moved.subpath), _place(previous.location, previous.subpath)
    )


def _place(location: _Place, subpath: str | None) -> str:
    return "/".join(name for name in (location.directory, subpath) if name)


def _skill(id: str, skill: _Skill) -> Block:
    return Notice(id=id, kind="skill", label=f"Skill {skill.name or skill.skill}", detail=skill.text)


def _idle(id: str, idle: _Idle) -> Block | None:
    """How a turn ended; its failure is that of the step."""
    if idle.outcome in ("failed", "interrupted"):
        return None
    label = "Finished" if idle.outcome == "succeeded" else f"Ended: {idle.outcome}"
    return Notice(id=id, kind="idle", label=label)


# For each type of message, the fields that are read and the function that makes a block of them.
READERS: dict[str, Reader] = {
    "synthetic": reader("synthetic", _Said, _synthetic),
    "system": reader("system", _Said, _system),
    "shell": reader("shell", _Shell, _shell),
    "compaction": reader("compaction", _Compaction, _compaction),
    "agent-switched": reader(
        "agent-switched",
        _Agent,
        lambda id, switch: _switch(id, "agent", switch.agent, switch.previous or ""),
    ),
    "model-switched": reader(
        "model-switched",
        _Model,
        lambda id, switch: _switch(id, "model", read_model(switch.model), read_model(switch.previous)),
    ),
    "location-switched": reader("location-switched", _Location, _location),
    "skill": reader("skill", _Skill, _skill),
    "idle": reader("idle", _Idle, _idle),
}
