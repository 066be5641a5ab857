"""How each tool's calls are told: one line that says what was done, and sections to unfold."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import msgspec

from app.render.forms import files, searches, shell, talk, web
from app.render.forms.form import Form, Problem
from app.render.forms.other import tell_other
from app.render.labels import MAX_LABEL
from app.session.model import Tool

__all__ = ["Form", "tell"]

logger = logging.getLogger(__name__)

FORMS: dict[str, Callable[[Tool], Form]] = {
    "apply_patch": files.tell_apply_patch,
    "bash": shell.tell,
    "codesearch": web.tell_search,
    "edit": files.tell_edit,
    "glob": searches.tell_glob,
    "grep": searches.tell_grep,
    "invalid": talk.tell_invalid,
    "list": searches.tell_list,
    "multiedit": files.tell_edit,
    "patch": files.tell_apply_patch,
    "question": talk.tell_question,
    "read": files.tell_read,
    "shell": shell.tell,
    "skill": talk.tell_skill,
    "subagent": talk.tell_task,
    "task": talk.tell_task,
    "todoread": talk.tell_todos,
    "todowrite": talk.tell_todos,
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
