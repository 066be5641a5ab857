"""Writes a conversation as Markdown, to paste into an issue or another model.

Answers stay as the model wrote them, headings included: a rewritten answer would no longer be a quotation,
and the numbered headings around it say who wrote what. Thinking is left out: it is long, and its result is in
the answer. Of a sub-agent, the transcript has its prompt and its report.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.lib.budget import Budget
from app.opencode.model import Block, Conversation, Step, Tool
from app.opencode.paging.pages import Page
from app.render import filters
from app.render.activity import Activity, activity_of, runs
from app.render.tools.registry import kind_of
from app.render.transcript.blocks import LEVELS, Context, Level, failure
from app.render.transcript.text import BlockCloser, code_span, in_prose

logger = logging.getLogger(__name__)

# Without it in its JSON, a part is no list of todos.
TODOS = b"todo"
UNDONE = "*Undone: what follows was reverted and is no longer part of the session.*"
SUMMARY = "*A summary of the conversation so far, made to compact its context:*"
BROKEN = "*Left out: a part that could not be written.*"
ROLES = {"user": "Prompt", "assistant": "Answer", "opencode": "Note"}


def transcript(
    conversation: Conversation, url: str, budget: Budget, level: str = "everything", page: Page | None = None
) -> Iterator[str]:
    """The Markdown of a conversation whose page is at `url`, in chunks of about a block each.

    `level` is one of LEVELS; with a `page`, only what is on that. It is complete whatever `budget` has: that
    is only for finding out what a text leaves open.
    """
    facts = [code_span(model) for model in conversation.models]
    facts += [filters.moment(conversation.created_at), f"<{url}>"]
    if page and page.count > 1:
        facts.append(f"page {page.number:,} of {page.count:,}")
    yield f"# {in_prose(conversation.title) or 'Untitled session'}\n\n"
    yield " · ".join(fact for fact in facts if fact) + "\n\n"
    yield f"{LEVELS[level].omissions}\n\n"
    context = Context(conversation.directory, BlockCloser(budget))
    is_undone = False
    for number, steps in _turns(conversation, page):
        heading = ""
        for step, markdown in _pieces(steps, LEVELS[level], context):
            if step.is_undone and not is_undone:
                yield f"{UNDONE}\n\n"
            is_undone = step.is_undone
            # A message without any output gets no heading either.
            if heading != (heading := _heading(step, number, len(conversation.models) > 1)):
                yield f"## {heading}\n\n"
            yield f"{markdown}\n\n"


def _turns(conversation: Conversation, page: Page | None) -> Iterator[tuple[int, Sequence[Step]]]:
    """The number of each turn, from 1, and its steps."""
    if page:
        return ((turn.number, [placed.step for placed in turn.steps]) for turn in page.turns)
    return ((number, turn.steps) for number, turn in enumerate(conversation.turns, 1))


def _pieces(steps: Sequence[Step], level: Level, context: Context) -> Iterator[tuple[Step, str]]:
    """What is written of a turn, each piece with the step that it begins in."""
    if not level.has_runs:
        yield from (piece for piece, _ in _written(steps, level, context))
        return
    context = replace(context, last_todos=_last_todos(steps))
    for run in runs(_written(steps, level, context)):
        if run.activity:
            took = filters.duration(run.activity.milliseconds) if run.activity.milliseconds else ""
            yield run.items[0][0], f"*{' · '.join(filter(None, [run.activity.label, took]))}*"
        else:
            yield from (piece for piece in run.items if piece[1])


def _written(
    steps: Sequence[Step], level: Level, context: Context
) -> Iterator[tuple[tuple[Step, str], Activity | None]]:
    """Each piece of Markdown with its step, and what was done in it if there is nothing else to see."""
    for step in steps:
        if step.is_summary:
            yield (step, SUMMARY), None
        for block in _blocks(step):
            activity = activity_of(block) if level.has_runs else None
            markdown = _block(block, step, level, context)
            if markdown or activity:
                yield (step, markdown), activity
        if step.failure:
            yield (step, failure(step.failure)), None


def _blocks(step: Step) -> Iterator[Block]:
    """Not `step.blocks`, which would keep the texts of a large session until its end."""
    blocks = (step.read_part(part, index) for index, part in enumerate(step.parts, step.first_part))
    return (block for block in blocks if block is not None)


def _last_todos(steps: Sequence[Step]) -> str:
    """The id of the last list of todos in a turn."""
    for step in reversed(steps):
        for index, part in reversed(list(enumerate(step.parts, step.first_part))):
            if TODOS in bytes(part):
                block = step.read_part(part, index)
                if isinstance(block, Tool) and kind_of(block) == "todos":
                    return block.id
    return ""


def _heading(step: Step, number: int, names_model: bool) -> str:
    model = f" · {code_span(step.model)}" if names_model and step.model and step.role == "assistant" else ""
    return f"{ROLES.get(step.role, 'Message')} {number}{model}{' (undone)' if step.is_undone else ''}"


def _block(block: Block, step: Step, level: Level, context: Context) -> str:
    """One block; if its writer fails, a note in its place."""
    try:
        return level.writers[type(block)](block, step, context)
    except Exception:
        logger.exception("a block could not be written: %s", type(block).__name__)
        return BROKEN
