"""What OpenCode's tools do, and whether a call of one failed, told without reading all of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, lenient
from app.opencode.model import MAX_PART_BYTES
from app.opencode.reading.common_parts import STATUSES

# Calls `edit` files, run a `command`, `read`, `search` or `list` files, `fetch` pages, ask a `question`, keep
# `todos`, or start an `agent`. OpenCode's tools that are not named here do something else.
KINDS: Mapping[str, str] = {
    "apply_patch": "edit",
    "bash": "command",
    "codesearch": "search",
    "edit": "edit",
    "glob": "search",
    "grep": "search",
    "list": "list",
    "list_mcp_resources": "list",
    "lsp": "search",
    "mcp-resource": "fetch",
    "multiedit": "edit",
    "patch": "edit",
    "question": "question",
    "read": "read",
    "read_mcp_resource": "fetch",
    "shell": "command",
    "subagent": "agent",
    "task": "agent",
    "todoread": "todos",
    "todowrite": "todos",
    "webfetch": "fetch",
    "websearch": "search",
    "write": "edit",
}
OTHER = "other"
EDIT = "edit"
EDITING_TOOLS = frozenset(name for name, kind in KINDS.items() if kind == EDIT)
# What OpenCode 2 may put before the names of its tools.
PREFIX = "opencode_"


# What a call does, and whether it failed.
Outcome = tuple[str, bool]


class _Metadata(msgspec.Struct, frozen=True):
    exit: int | None = None
    status: str = ""


class _State(msgspec.Struct, frozen=True):
    status: str = ""
    metadata: Raw = ABSENT
    structured: Raw = ABSENT


class _Part(msgspec.Struct, frozen=True):
    """V1 has the name of the tool in `tool`, V2 in `name`, and older metadata in `structured`.

    A command that a person ran in V2 is a message of the type `shell`, with a `status` and an `exit`.
    """

    type: str = ""
    tool: str = ""
    name: str = ""
    state: _State = _State()
    status: str = ""
    exit: int | None = None


_decode_part = msgspec.json.Decoder(_Part).decode
_read_part = lenient(_Part)
_read_metadata = lenient(_Metadata)


def kind_of_tool(name: str) -> str:
    return KINDS.get(name) or KINDS.get(name.removeprefix(PREFIX), OTHER)


def call_outcome(part: Raw) -> Outcome | None:
    """What a call does, and whether it or the command that it ran failed.

    None for a part of a message that is no call, or cannot be read as one.
    """
    if len(memoryview(part)) > MAX_PART_BYTES:
        return None
    try:
        call = _decode_part(part)
    except (msgspec.ValidationError, RecursionError):
        call = _read_part(part)
    if call.type == "shell":
        return "command", bool(command_ending(call.exit, call.status))
    if call.type != "tool" or call.state.status not in STATUSES:
        return None
    kind = kind_of_tool(call.tool or call.name)
    if call.state.status == "error":
        return kind, True
    return kind, kind == "command" and any(map(_is_failure, (call.state.metadata, call.state.structured)))


def _is_failure(metadata: Raw) -> bool:
    outcome = _read_metadata(metadata)
    return bool(command_ending(outcome.exit, outcome.status))


def command_ending(exit: int | None, status: str) -> str:
    """How a command ended, unless as it should: `exit 1`, `timeout` or `killed`."""
    if exit:
        return f"exit {exit}"
    return status if status in ("timeout", "killed") else ""
