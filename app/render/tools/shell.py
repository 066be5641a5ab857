"""View of commands: input, output and exit status."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.opencode.model import Tool
from app.render.tools.fields import read_fields
from app.render.tools.view import CodeSection, NoteSection, Section, TerminalSection, ToolView
from app.render.tools.wrappers import without_wrappers

# A command of at most this length is shown whole in the line of its call.
MAX_LINE = 120


class _Input(msgspec.Struct):
    command: str
    description: str = ""
    workdir: str = ""


class _Metadata(msgspec.Struct):
    exit: int | None = None
    output: str = ""
    status: str = ""


def shell_view(tool: Tool) -> ToolView:
    command = read_fields(tool.input, _Input)
    outcome = read_fields(tool.metadata, _Metadata)
    # While a command runs, and if it was aborted, its output so far is in the metadata only.
    name, output = "output", tool.output
    notes: Sequence[str] = ()
    if not output:
        name = "metadata.output"
        output, notes = without_wrappers(outcome.output)
    line = _first_line(command.command)
    facts = []
    if outcome.exit:
        facts.append(f"exit {outcome.exit}")
    elif outcome.status in ("timeout", "killed"):
        facts.append(outcome.status)
    is_failure = bool(facts)
    sections: list[Section] = []
    if line != command.command or len(line) > MAX_LINE:
        sections.append(CodeSection("input.command", command.command, "bash"))
    if output.strip():
        sections.append(TerminalSection(name, output, from_end=is_failure or tool.status == "error"))
    sections += map(NoteSection, notes)
    return ToolView("$", line, command.workdir, facts, sections=sections, is_failure=is_failure)


def _first_line(command: str) -> str:
    first, newline, _ = command.strip().partition("\n")
    return f"{first} …" if newline else first
