"""Views of calls that make other calls: OpenCode 2's `execute`, whose code calls tools, and `batch`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, is_absent
from app.opencode.model import Tool
from app.render.filters import plural
from app.render.text.block_texts import fields_of
from app.render.tools.fields import read_fields, read_lists
from app.render.tools.outputs import output_section
from app.render.tools.subjects import telling
from app.render.tools.view import Call, CallsSection, CodeSection, Section, ToolView

MAX_CALLS = 100
# Names that fit into the line.
MAX_NAMES = 4


class _Code(msgspec.Struct):
    code: str = ""


class _Call(msgspec.Struct):
    """One call in the metadata of `execute`, or in the input of `batch`."""

    tool: str = ""
    status: str = ""
    success: bool | None = None
    input: Raw = ABSENT
    parameters: Raw = ABSENT


class _Calls(msgspec.Struct):
    toolCalls: list[_Call] = []  # noqa: N815 - names here and below are OpenCode's
    tool_calls: list[_Call] = []
    details: list[_Call] = []


def execute_view(tool: Tool) -> ToolView:
    """Code that called tools, which tools it called, and what came out."""
    code = read_fields(tool.input, _Code).code
    calls = read_lists(tool.metadata, _Calls).toolCalls
    sections: list[Section] = [CodeSection("input.code", code, "typescript")] if code else []
    sections += _calls(calls)
    if tool.output:
        sections.append(output_section("output", tool.output))
    return ToolView("Run code", _names(calls), facts=_count(calls), sections=sections)


def batch_view(tool: Tool) -> ToolView:
    """Several calls in one; OpenCode also records each as a call of its own."""
    calls = read_lists(tool.input, _Calls).tool_calls
    outcomes = read_lists(tool.metadata, _Calls).details
    if len(outcomes) == len(calls):
        for call, outcome in zip(calls, outcomes, strict=True):
            call.status = "error" if outcome.success is False else "completed"
    sections = _calls(calls)
    if tool.output:
        sections.append(CodeSection("output", tool.output))
    return ToolView("Batch", _names(calls), facts=_count(calls), sections=sections)


def _calls(calls: Sequence[_Call]) -> list[Section]:
    shown = [Call(call.tool, _subject(call), call.status) for call in calls[:MAX_CALLS]]
    return [CallsSection(shown, len(calls) - len(shown))] if shown else []


def _subject(call: _Call) -> str:
    given = next((field for field in (call.input, call.parameters) if not is_absent(field)), None)
    return telling(fields_of(given)) if given is not None else ""


def _count(calls: Sequence[_Call]) -> list[str]:
    return [plural(len(calls), "call")] if calls else []


def _names(calls: Sequence[_Call]) -> str:
    names = list(dict.fromkeys(call.tool for call in calls if call.tool))
    return ", ".join(names[:MAX_NAMES]) + (" …" if len(names) > MAX_NAMES else "")
