"""How each tool's calls are told: one line that says what was done, and sections to unfold."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import msgspec

from app.opencode.model import Tool
from app.render.filters import MAX_LABEL
from app.render.tools import agent, files, search, shell, web
from app.render.tools.fallback import tell_other
from app.render.tools.view import Form, Problem

__all__ = ["Form", "tell"]

logger = logging.getLogger(__name__)

FORMS: dict[str, Callable[[Tool], Form]] = {
    "apply_patch": files.tell_apply_patch,
    "bash": shell.tell,
    "codesearch": web.tell_search,
    "edit": files.tell_edit,
    "glob": search.tell_glob,
    "grep": search.tell_grep,
    "invalid": agent.tell_invalid,
    "list": search.tell_list,
    "multiedit": files.tell_edit,
    "patch": files.tell_apply_patch,
    "question": agent.tell_question,
    "read": files.tell_read,
    "shell": shell.tell,
    "skill": agent.tell_skill,
    "subagent": agent.tell_task,
    "task": agent.tell_task,
    "todoread": agent.tell_todos,
    "todowrite": agent.tell_todos,
    "webfetch": web.tell_fetch,
    "websearch": web.tell_search,
    "write": files.tell_write,
}


def tell(tool: Tool) -> Form:
    """The form of a call; one whose input is not what its tool takes is told like that of an unknown tool."""
    try:
        form = FORMS.get(tool.name, tell_other)(tool)
    except (msgspec.DecodeError, RecursionError):
        form = tell_other(tool)
    except Exception:
        logger.exception("a call could not be told: %s", tool.name[:MAX_LABEL])
        form = tell_other(tool)
    if tool.error:
        form = replace(form, sections=[*form.sections, Problem("error", tool.error)])
    return form
