"""View of commands: input, output and exit status."""

from __future__ import annotations

import msgspec

from app.opencode.model import Tool
from app.render.tools.fields import read_fields
from app.render.tools.view import CodeSection, Section, TerminalSection, ToolView

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
    name, output = ("output", tool.output) if tool.output else ("metadata.output", outcome.output)
    line = _first_line(command.command)
    sections: list[Section] = []
    if line != command.command or len(line) > MAX_LINE:
        sections.append(CodeSection("input.command", command.command, "bash"))
    if output.strip():
        sections.append(TerminalSection(name, output))
    facts = []
    if outcome.exit:
        facts.append(f"exit {outcome.exit}")
    elif outcome.status in ("timeout", "killed"):
        facts.append(outcome.status)
    return ToolView("$", line, command.workdir, facts, sections=sections)


def _first_line(command: str) -> str:
    first, newline, _ = command.strip().partition("\n")
    return f"{first} …" if newline else first
