"""Writes a conversation as Markdown, to paste into an issue or another model.

Answers stay as the model wrote them, headings included: a rewritten answer would no longer be a quotation,
and the numbered headings around it say who wrote what. Thinking is left out: it is long, and its result is in
the answer. Of a sub-agent, the transcript has its prompt and its report.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.lib.budget import Budget
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
from app.opencode.paths import relative_path
from app.render import filters
from app.render.text.thoughts import passages
from app.render.transcript.text import (
    BlockCloser,
    blockquote,
    code_span,
    cut_fence,
    in_prose,
    without_control_characters,
)
from app.render.transcript.tools import MAX_OUTPUT_LINES, attached, tool

MAX_PATCH_FILES = 20

logger = logging.getLogger(__name__)

OMISSIONS = "*Thinking is left out and long input and output are cut; the link has everything.*"
UNDONE = "*Undone: what follows was reverted and is no longer part of the session.*"
SUMMARY = "*A summary of the conversation so far, made to compact its context:*"
# The prompt itself names its agent, and OpenCode's instructions to the model were written by nobody here.
OMITTED_NOTICES = ("agent", "system")
NOTICES_WITH_DETAIL = ("subtask", "compaction", "retry")
BROKEN = "*Left out: a part that could not be written.*"
ROLES = {"user": "Prompt", "assistant": "Answer", "opencode": "Note"}


@dataclass(frozen=True)
class _Context:
    """What the writers of blocks share: the session's folder, and how to close open Markdown."""

    directory: str
    closer: BlockCloser


def transcript(conversation: Conversation, url: str, budget: Budget) -> Iterator[str]:
    """The Markdown of a conversation whose page is at `url`, in chunks of about a block each.

    It is complete whatever `budget` has: that is only for finding out what a text leaves open.
    """
    facts = [code_span(model) for model in conversation.models]
    facts += [filters.moment(conversation.created_at), f"<{url}>"]
    yield f"# {in_prose(conversation.title) or 'Untitled session'}\n\n"
    yield " · ".join(fact for fact in facts if fact) + "\n\n"
    yield f"{OMISSIONS}\n\n"
    context = _Context(conversation.directory, BlockCloser(budget))
    is_undone = False
    for number, turn in enumerate(conversation.turns, 1):
        heading = ""
        for step in turn.steps:
            if step.is_undone and not is_undone:
                yield f"{UNDONE}\n\n"
            is_undone = step.is_undone
            for markdown in _step(step, context):
                # A message without any output gets no heading either.
                if heading != (heading := _heading(step, number, len(conversation.models) > 1)):
                    yield f"## {heading}\n\n"
                yield f"{markdown}\n\n"


def _heading(step: Step, number: int, names_model: bool) -> str:
    model = f" · {code_span(step.model)}" if names_model and step.model and step.role == "assistant" else ""
    return f"{ROLES.get(step.role, 'Message')} {number}{model}{' (undone)' if step.is_undone else ''}"


def _step(step: Step, context: _Context) -> Iterator[str]:
    if step.is_summary:
        yield SUMMARY
    for index, part in enumerate(step.parts):
        # Not `step.blocks`, which would keep the texts of a large session until its end.
        block = step.read_part(part, step.first_part + index)
        if block is not None and (markdown := _block(block, step, context)):
            yield markdown
    if step.failure:
        yield _failure(step.failure)


def _block(block: Block, step: Step, context: _Context) -> str:
    """One block; if its writer fails, a note in its place."""
    try:
        return WRITERS[type(block)](block, step, context)
    except Exception:
        logger.exception("a block could not be written: %s", type(block).__name__)
        return BROKEN


def _text(block: Text, step: Step, context: _Context) -> str:
    if block.synthetic:
        return ""
    text = without_control_characters(block.text).strip("\n")
    if step.role == "assistant":
        text = "\n\n".join(passage.text for passage in passages(text) if not passage.is_thought)
    if not text:
        return ""
    written = blockquote(text) if step.role == "user" else context.closer.close(text)
    return f"*Not sent to the model:*\n\n{written}" if block.ignored else written


def _reasoning(block: Reasoning, step: Step, context: _Context) -> str:
    return ""


def _file(block: File, step: Step, context: _Context) -> str:
    return attached(block)


def _tool(block: Tool, step: Step, context: _Context) -> str:
    return tool(block)


def _notice(block: Notice, step: Step, context: _Context) -> str:
    if block.kind in OMITTED_NOTICES:
        return ""
    line = f"*{in_prose(filters.short(block.label))}*"
    if block.kind == "patch":
        return _patch(line, block.detail.split("\n"), context.directory)
    has_detail = block.detail and block.kind in NOTICES_WITH_DETAIL
    return f"{line}\n\n{blockquote(without_control_characters(block.detail))}" if has_detail else line


def _patch(line: str, paths: list[str], directory: str) -> str:
    names = [code_span(relative_path(path, directory)) for path in paths[:MAX_PATCH_FILES]]
    more = len(paths) - len(names)
    return f"{line} {', '.join(filter(None, names))}{f' and {more:,} more' if more else ''}"


def _unknown(block: Unknown, step: Step, context: _Context) -> str:
    """Only its type, because its JSON may contain anything, such as a provider's response."""
    kind = "a part that is too large" if block.is_too_large else "a part of unknown kind"
    return f"*Left out: {kind},* {code_span(block.label)}"


def _failure(failure: Failure) -> str:
    what = failure.label if failure.aborted else f"Error ({in_prose(failure.label)})"
    if not failure.detail:
        return f"**{what}**"
    return f"**{what}:**\n\n{cut_fence(failure.detail, MAX_OUTPUT_LINES)}"


WRITERS: dict[type[Block], Callable[[Any, Step, _Context], str]] = {
    Text: _text,
    Reasoning: _reasoning,
    File: _file,
    Tool: _tool,
    Notice: _notice,
    Unknown: _unknown,
}
