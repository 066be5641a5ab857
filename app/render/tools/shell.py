"""View of commands: input, output and exit status."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from app.opencode.calls import command_ending
from app.opencode.model import Tool
from app.render.tools.fields import read_fields
from app.render.tools.view import CodeSection, NoteSection, Section, TerminalSection, ToolView
from app.render.tools.wrappers import without_wrappers
from app.render.transcript.text import without_control_characters

# A command of at most this length is shown whole in the line of its call.
MAX_LINE = 120
# A longer last line of its output is not repeated there.
MAX_LAST_LINE = 60


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
    ending = command_ending(outcome.exit, outcome.status)
    said = ending or (_last_line(output) if tool.status == "completed" else "")
    sections: list[Section] = []
    if line != command.command or len(line) > MAX_LINE:
        sections.append(CodeSection("input.command", command.command, "bash"))
    if output.strip():
        sections.append(TerminalSection(name, output, from_end=bool(ending) or tool.status == "error"))
    sections += map(NoteSection, notes)
    facts = [said] if said else []
    return ToolView("$", line, command.workdir, facts, sections=sections, is_failure=bool(ending))


def is_failure(tool: Tool) -> bool:
    """Whether a command ended with an error, or was ended."""
    outcome = read_fields(tool.metadata, _Metadata)
    return bool(command_ending(outcome.exit, outcome.status))


def _last_line(output: str) -> str:
    """What a program said at its end, if that is short: how many tests passed, where the result is."""
    last = without_control_characters(output[-MAX_LAST_LINE * 4 :]).rstrip().rpartition("\n")[2].strip()
    return last if len(last) <= MAX_LAST_LINE else ""


def _first_line(command: str) -> str:
    first, newline, _ = command.strip().partition("\n")
    return f"{first} …" if newline else first
