"""The input of tool calls in transcripts: what stands on the line of a call, and the blocks under it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from app.opencode.model import Tool
from app.render.text.highlight import language_of_file
from app.render.tools.fields import read_fields
from app.render.transcript.text import code_span, cut_fence, in_prose, on_one_line

MAX_INLINE_CHARACTERS = 160
DIFF_HEAD = re.compile(r"(?m)^(?:Index: .*|={60,})\n")


class Metadata(msgspec.Struct, frozen=True):
    exit: int | None = None
    diff: str = ""


class _Todo(msgspec.Struct, frozen=True):
    content: str
    status: str = ""


# The texts of a call by name, without output and error.
Named = dict[str, str]
# Markdown on the line, and the blocks under it.
Input = tuple[str, Sequence[str]]
# Blocks are cut to so many lines.
InputWriter = Callable[[Tool, Named, Metadata, int], Input]


def read_metadata(json: Raw) -> Metadata:
    try:
        return read_fields(json, Metadata)
    except (msgspec.DecodeError, RecursionError):
        return Metadata()


def any_input(call: Tool, named: Named, metadata: Metadata, max_lines: int) -> Input:
    """Short input on the line, longer input in fences; nothing that the title says already."""
    title = on_one_line(call.title)
    inline, blocks = [code_span(title)] if title else [], []
    for name, text in named.items():
        name = on_one_line(name.removeprefix("input").removeprefix("."))
        if title and (on_one_line(text) == title or (name == "filePath" and text.endswith(title))):
            continue
        if "\n" in text or len(text) > MAX_INLINE_CHARACTERS:
            fence = cut_fence(text, max_lines, _language(text, named.get("input.filePath", "")))
            blocks.append(f"{in_prose(name)}:\n\n{fence}" if name else fence)
        elif text:
            inline.append(f"{in_prose(name)} {code_span(text)}" if inline else code_span(text))
    return " · ".join(inline), blocks


def _language(text: str, path: str) -> str:
    if path:
        return language_of_file(path) or ""
    return "json" if text.startswith(("{", "[")) else ""


def command_input(call: Tool, named: Named, metadata: Metadata, max_lines: int) -> Input:
    command = named.get("input.command") or call.title
    return in_prose(named.get("input.description", "")), [cut_fence(command, max_lines, "sh")]


def change_input(call: Tool, named: Named, metadata: Metadata, max_lines: int) -> Input:
    """The diff, where it is recorded, instead of the texts it was made from."""
    if not metadata.diff:
        return any_input(call, named, metadata, max_lines)
    # The title of a change to several files is a list of them, which the diff names too.
    path = call.title if call.title and "\n" not in call.title else named.get("input.filePath", "")
    return code_span(path), [cut_fence(DIFF_HEAD.sub("", metadata.diff), max_lines, "diff")]


def todos_input(call: Tool, named: Named, metadata: Metadata, max_lines: int) -> Input:
    try:
        todos = msgspec.json.decode(named.get("input.todos", ""), type=list[_Todo])
    except msgspec.DecodeError:
        return any_input(call, named, metadata, max_lines)
    marks = {"completed": "[x]", "cancelled": "[-]"}
    visible = todos[:max_lines]
    items = [f"- {marks.get(todo.status, '[ ]')} {in_prose(todo.content)}" for todo in visible]
    if more := len(todos) - len(visible):
        items.append(f"\n... {more:,} more")
    return "", ["\n".join(items)]
