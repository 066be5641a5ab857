"""Blocks as Markdown, at each level of detail: a writer for each kind of block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.opencode.model import Block, Failure, File, Notice, Reasoning, Step, Text, Tool, Unknown
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
from app.render.transcript.tools import MAX_OUTPUT_LINES, attached, tool, tool_highlights

MAX_PATCH_FILES = 20
# The prompt itself names its agent, and OpenCode's instructions to the model were written by nobody here.
OMITTED_NOTICES = ("agent", "system")
NOTICES_WITH_DETAIL = ("subtask", "compaction", "retry")


@dataclass(frozen=True)
class Context:
    """What the writers of blocks share: the session's folder, and how to close open Markdown.

    `last_todos` is the id of the last list of todos in the turn.
    """

    directory: str
    closer: BlockCloser
    last_todos: str = ""


Writer = Callable[[Any, Step, Context], str]


@dataclass(frozen=True)
class Level:
    """How a level of detail is written; `has_runs` if one line tells of calls that only look at something."""

    omissions: str
    writers: Mapping[type[Block], Writer]
    has_runs: bool = False


def _text(block: Text, step: Step, context: Context) -> str:
    if block.synthetic:
        return ""
    text = without_control_characters(block.text).strip("\n")
    if step.role == "assistant":
        text = "\n\n".join(passage.text for passage in passages(text) if not passage.is_thought)
    if not text:
        return ""
    written = blockquote(text) if step.role == "user" else context.closer.close(text)
    return f"*Not sent to the model:*\n\n{written}" if block.ignored else written


def _nothing(block: Block, step: Step, context: Context) -> str:
    return ""


def _file(block: File, step: Step, context: Context) -> str:
    return attached(block)


def _tool(block: Tool, step: Step, context: Context) -> str:
    return tool(block)


def _tool_highlights(block: Tool, step: Step, context: Context) -> str:
    return tool_highlights(block, context.directory, is_last_list=block.id == context.last_todos)


def _notice(block: Notice, step: Step, context: Context) -> str:
    if block.kind in OMITTED_NOTICES:
        return ""
    line = f"*{in_prose(filters.short(block.label))}*"
    if block.kind == "patch":
        return _patch(line, block.detail.split("\n"), context.directory)
    has_detail = block.detail and block.kind in NOTICES_WITH_DETAIL
    return f"{line}\n\n{blockquote(without_control_characters(block.detail))}" if has_detail else line


def _notice_highlights(block: Notice, step: Step, context: Context) -> str:
    """Without the list of changed files, whose changes are there."""
    return "" if block.kind == "patch" else _notice(block, step, context)


def _patch(line: str, paths: list[str], directory: str) -> str:
    names = [code_span(relative_path(path, directory)) for path in paths[:MAX_PATCH_FILES]]
    more = len(paths) - len(names)
    return f"{line} {', '.join(filter(None, names))}{f' and {more:,} more' if more else ''}"


def _unknown(block: Unknown, step: Step, context: Context) -> str:
    """Only its type, because its JSON may contain anything, such as a provider's response."""
    kind = "a part that is too large" if block.is_too_large else "a part of unknown kind"
    return f"*Left out: {kind},* {code_span(block.label)}"


def failure(failure: Failure) -> str:
    what = failure.label if failure.aborted else f"Error ({in_prose(failure.label)})"
    if not failure.detail:
        return f"**{what}**"
    return f"**{what}:**\n\n{cut_fence(failure.detail, MAX_OUTPUT_LINES)}"


WRITERS: dict[type[Block], Writer] = {
    Text: _text,
    Reasoning: _nothing,
    File: _file,
    Tool: _tool,
    Notice: _notice,
    Unknown: _unknown,
}
LEVELS = {
    "conversation": Level(
        "*Only prompts and answers; the link has everything.*",
        {**dict.fromkeys(WRITERS, _nothing), Text: _text, File: _file},
    ),
    "highlights": Level(
        "*Highlights: what only looked at something is a line, and long input and output are cut; "
        "the link has everything.*",
        {**WRITERS, Tool: _tool_highlights, Notice: _notice_highlights},
        has_runs=True,
    ),
    "everything": Level(
        "*Thinking is left out and long input and output are cut; the link has everything.*", WRITERS
    ),
}
