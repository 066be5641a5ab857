"""The registry of tools: everything that a tool's calls need to be shown, one entry for each tool.

A tool without an entry is shown by the names of its input (`app.render.tools.fallback`). The sets of tools
that change files or delegate to sub-agents are facts about sessions (`app.opencode.changes.edits`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import msgspec

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
    """How the calls of one tool are shown: `view` on pages, `write_input` in transcripts.

    `kind` says what they do: they `edit` files, run a `command`, `read`, `search` or `list` files, `fetch`
    pages, ask a `question`, keep `todos`, or start an `agent`.
    """

    view: Callable[[Tool], ToolView]
    write_input: InputWriter = any_input
    kind: str = "other"


FALLBACK = ToolEntry(fallback_view)

TOOLS: dict[str, ToolEntry] = {
    "apply_patch": ToolEntry(files.apply_patch_view, change_input, kind="edit"),
    "batch": ToolEntry(calls.batch_view),
    "bash": ToolEntry(shell.shell_view, command_input, kind="command"),
    "codesearch": ToolEntry(web.search_view, kind="search"),
    "edit": ToolEntry(files.edit_view, change_input, kind="edit"),
    "execute": ToolEntry(calls.execute_view),
    "glob": ToolEntry(search.glob_view, kind="search"),
    "grep": ToolEntry(search.grep_view, kind="search"),
    "invalid": ToolEntry(agent.invalid_view),
    "list_mcp_resources": ToolEntry(web.resources_view, kind="list"),
    "list": ToolEntry(search.list_view, kind="list"),
    "lsp": ToolEntry(search.lsp_view, kind="search"),
    "multiedit": ToolEntry(files.edit_view, change_input, kind="edit"),
    "patch": ToolEntry(files.apply_patch_view, change_input, kind="edit"),
    "plan_enter": ToolEntry(agent.plan_view),
    "plan_exit": ToolEntry(agent.plan_view),
    "question": ToolEntry(agent.question_view, kind="question"),
    "mcp-resource": ToolEntry(web.resource_view, kind="fetch"),
    "read_mcp_resource": ToolEntry(web.resource_view, kind="fetch"),
    "session-move": ToolEntry(agent.session_move_view),
    "session_move": ToolEntry(agent.session_move_view),
    "read": ToolEntry(files.read_view, kind="read"),
    "shell": ToolEntry(shell.shell_view, command_input, kind="command"),
    "skill": ToolEntry(agent.skill_view),
    "StructuredOutput": ToolEntry(agent.structured_output_view),
    "subagent": ToolEntry(agent.task_view, kind="agent"),
    "task": ToolEntry(agent.task_view, kind="agent"),
    "todoread": ToolEntry(agent.todos_view, kind="todos"),
    "todowrite": ToolEntry(agent.todos_view, todos_input, kind="todos"),
    "webfetch": ToolEntry(web.fetch_view, kind="fetch"),
    "websearch": ToolEntry(web.search_view, kind="search"),
    "write": ToolEntry(files.write_view, kind="edit"),
}


def entry_of(tool: Tool) -> ToolEntry:
    """The entry of a call's tool; OpenCode 2 may put its own name before those of its tools."""
    return TOOLS.get(tool.name) or TOOLS.get(tool.name.removeprefix("opencode_"), FALLBACK)


def kind_of(tool: Tool) -> str:
    """What a call does, as in ToolEntry."""
    entry = entry_of(tool)
    return fallback_kind(tool) if entry is FALLBACK else entry.kind


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
