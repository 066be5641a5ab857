"""A conversation as markdown, to paste into an issue or another model.

Answers stay as the model wrote them, headings included: an answer that was rewritten would no longer be a
quotation, and the numbered headings around it tell who speaks. Thinking is left out: it is long, and what
became of it is in the answer. Of a sub-agent there is what it was asked and what it reported.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.opencode.changes.changes import relative_path
from app.opencode.model import (
    Block,
    Conversation,
    Failure,
    File,
    Notice,
    Reasoning,
    Step,
    Text,
    Tool,
    Unknown,
)
from app.render import filters
from app.render.transcript.text import (
    Closing,
    blockquote,
    cleaned,
    code_span,
    cut_fence,
    in_prose,
)
from app.render.transcript.tools import MAX_OUTPUT_LINES, attached, tool

MAX_PATCH_FILES = 20

logger = logging.getLogger(__name__)

OMISSIONS = "*Thinking is left out and long input and output are cut; the link has everything.*"
UNDONE = "*Undone: what follows was reverted and is no longer part of the session.*"
SUMMARY = "*A summary of the conversation so far, made to compact its context:*"
# The prompt itself names its agent; what OpenCode told the model was said by nobody here.
UNTOLD = ("agent", "system")
UNFOLDED = ("subtask", "compaction", "retry")
BROKEN = "*Left out: a part that could not be written.*"
ROLES = {"user": "Prompt", "assistant": "Answer", "opencode": "Note"}


@dataclass(frozen=True)
class _Page:
    """What the writers of blocks share: the session's folder, and what may still be parsed."""

    directory: str
    closing: Closing


def transcript(conversation: Conversation, url: str) -> Iterator[str]:
    """The markdown of a conversation whose page is at `url`, in pieces of about a block each."""
    facts = [code_span(model) for model in conversation.models]
    facts += [filters.moment(conversation.created_at), f"<{url}>"]
    yield f"# {in_prose(conversation.title) or 'Untitled session'}\n\n"
    yield " · ".join(fact for fact in facts if fact) + "\n\n"
    yield f"{OMISSIONS}\n\n"
    page = _Page(conversation.directory, Closing())
    is_undone = False
    for number, turn in enumerate(conversation.turns, 1):
        heading = ""
        for step in turn.steps:
            if step.is_undone and not is_undone:
                yield f"{UNDONE}\n\n"
            is_undone = step.is_undone
            for piece in _step(step, page):
                # A message of which nothing is shown gets no heading either.
                if heading != (heading := _heading(step, number, len(conversation.models) > 1)):
                    yield f"## {heading}\n\n"
                yield f"{piece}\n\n"


def _heading(step: Step, number: int, names_model: bool) -> str:
    model = f" · {code_span(step.model)}" if names_model and step.model and step.role == "assistant" else ""
    return f"{ROLES.get(step.role, 'Message')} {number}{model}{' (undone)' if step.is_undone else ''}"


def _step(step: Step, page: _Page) -> Iterator[str]:
    if step.is_summary:
        yield SUMMARY
    for index, part in enumerate(step.parts):
        # Not `step.blocks`, which would keep the texts of a large session until its end.
        block = step.read_part(part, step.first_part + index)
        if block is not None and (written := _block(block, step, page)):
            yield written
    if step.failure:
        yield _failure(step.failure)


def _block(block: Block, step: Step, page: _Page) -> str:
    """One block; should its writer fail, the rest is written all the same."""
    try:
        return WRITERS[type(block)](block, step, page)
    except Exception:
        logger.exception("a block could not be written: %s", type(block).__name__)
        return BROKEN


def _text(block: Text, step: Step, page: _Page) -> str:
    if block.synthetic:
        return ""
    text = cleaned(block.text).strip("\n")
    written = blockquote(text) if step.role == "user" else page.closing.closed(text)
    return f"*Not sent to the model:*\n\n{written}" if block.ignored else written


def _reasoning(block: Reasoning, step: Step, page: _Page) -> str:
    return ""


def _file(block: File, step: Step, page: _Page) -> str:
    return attached(block)


def _tool(block: Tool, step: Step, page: _Page) -> str:
    return tool(block)


def _notice(block: Notice, step: Step, page: _Page) -> str:
    if block.kind in UNTOLD:
        return ""
    line = f"*{in_prose(filters.short(block.label))}*"
    if block.kind == "patch":
        return _patch(line, block.detail.split("\n"), page.directory)
    is_told = block.detail and block.kind in UNFOLDED
    return f"{line}\n\n{blockquote(cleaned(block.detail))}" if is_told else line


def _patch(line: str, paths: list[str], directory: str) -> str:
    names = [code_span(relative_path(path, directory)) for path in paths[:MAX_PATCH_FILES]]
    more = len(paths) - len(names)
    return f"{line} {', '.join(filter(None, names))}{f' and {more:,} more' if more else ''}"


def _unknown(block: Unknown, step: Step, page: _Page) -> str:
    """Only its kind: nobody knows what its JSON holds, and a provider's response may be in it."""
    return f"*Left out: a part of unknown kind,* {code_span(block.label)}"


def _failure(failure: Failure) -> str:
    what = "Aborted" if failure.aborted else f"Error ({in_prose(failure.name)})"
    return f"**{what}:**\n\n{cut_fence(failure.text, MAX_OUTPUT_LINES)}"


WRITERS: dict[type[Block], Callable[[Any, Step, _Page], str]] = {
    Text: _text,
    Reasoning: _reasoning,
    File: _file,
    Tool: _tool,
    Notice: _notice,
    Unknown: _unknown,
}
