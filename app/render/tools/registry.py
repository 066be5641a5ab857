"""The registry of tools: everything that a tool's calls need to be shown, one entry for each tool.

A tool without an entry is shown by the names of its input (`app.render.tools.fallback`). What the calls of a
tool do is a fact about OpenCode (`app.opencode.calls`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import msgspec

from app.opencode.calls import PREFIX, kind_of_tool
from app.opencode.model import Tool
from app.render.filters import MAX_LABEL
from app.render.tools import agent, calls, files, search, shell, web
from app.render.tools.diagnostics import with_diagnostics
from app.render.tools.fallback import fallback_kind, fallback_view
from app.render.tools.view import ErrorSection, NoteSection, SubagentSection, ToolView
from app.render.tools.wrappers import without_wrappers
from app.render.transcript.inputs import (
    InputWriter,
    any_input,
    change_input,
    command_input,
    todos_input,
)

logger = logging.getLogger(__name__)


class ToolEntry(NamedTuple):
    """How the calls of one tool are shown: `view` on pages, `write_input` in transcripts."""

    view: Callable[[Tool], ToolView]
    write_input: InputWriter = any_input


FALLBACK = ToolEntry(fallback_view)

TOOLS: dict[str, ToolEntry] = {
    "apply_patch": ToolEntry(files.apply_patch_view, change_input),
    "batch": ToolEntry(calls.batch_view),
    "bash": ToolEntry(shell.shell_view, command_input),
    "codesearch": ToolEntry(web.search_view),
    "edit": ToolEntry(files.edit_view, change_input),
    "execute": ToolEntry(calls.execute_view),
    "glob": ToolEntry(search.glob_view),
    "grep": ToolEntry(search.grep_view),
    "invalid": ToolEntry(agent.invalid_view),
    "list_mcp_resources": ToolEntry(web.resources_view),
    "list": ToolEntry(search.list_view),
    "lsp": ToolEntry(search.lsp_view),
    "multiedit": ToolEntry(files.edit_view, change_input),
    "patch": ToolEntry(files.apply_patch_view, change_input),
    "plan_enter": ToolEntry(agent.plan_view),
    "plan_exit": ToolEntry(agent.plan_view),
    "question": ToolEntry(agent.question_view),
    "mcp-resource": ToolEntry(web.resource_view),
    "read_mcp_resource": ToolEntry(web.resource_view),
    "session-move": ToolEntry(agent.session_move_view),
    "session_move": ToolEntry(agent.session_move_view),
    "read": ToolEntry(files.read_view),
    "shell": ToolEntry(shell.shell_view, command_input),
    "skill": ToolEntry(agent.skill_view),
    "StructuredOutput": ToolEntry(agent.structured_output_view),
    "subagent": ToolEntry(agent.task_view),
    "task": ToolEntry(agent.task_view),
    "todoread": ToolEntry(agent.todos_view),
    "todowrite": ToolEntry(agent.todos_view, todos_input),
    "webfetch": ToolEntry(web.fetch_view),
    "websearch": ToolEntry(web.search_view),
    "write": ToolEntry(files.write_view),
}


def entry_of(tool: Tool) -> ToolEntry:
    """The entry of a call's tool; OpenCode 2 may put its own name before those of its tools."""
    return TOOLS.get(tool.name) or TOOLS.get(tool.name.removeprefix(PREFIX), FALLBACK)


def kind_of(tool: Tool) -> str:
    """What a call does, as in `app.opencode.calls`; of a tool that is not OpenCode's, its input tells."""
    return fallback_kind(tool) if entry_of(tool) is FALLBACK else kind_of_tool(tool.name)


def view_of(tool: Tool) -> ToolView:
    """The view of a call; one whose input is not what its tool takes is shown like an unknown tool's."""
    output, notes = without_wrappers(tool.output)
    unwrapped = replace(tool, output=output)
    try:
        view = entry_of(tool).view(unwrapped)
    except (msgspec.DecodeError, RecursionError):
        view = fallback_view(unwrapped)
    except Exception:
        logger.exception("a call could not be shown: %s", tool.name[:MAX_LABEL])
        view = fallback_view(unwrapped)
    view = with_diagnostics(view, tool)
    if tool.child_id and not any(isinstance(section, SubagentSection) for section in view.sections):
        view = replace(view, sections=[SubagentSection(tool.child_id, None, None), *view.sections])
    new_notes = [note for note in map(NoteSection, notes) if note not in view.sections]
    view = replace(view, sections=[*view.sections, *new_notes])
    if tool.error:
        view = replace(view, sections=[*view.sections, ErrorSection("error", tool.error)])
    return view
