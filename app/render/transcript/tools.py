"""Calls of tools as markdown: a line that tells what was done, then input and output in fences."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from app.opencode.model import File, Tool
from app.render import attachments, filters
from app.render.text.block_texts import texts
from app.render.text.highlight import language_of_file
from app.render.tools.fields import read_fields
from app.render.transcript.text import code_span, cut_fence, in_prose, on_one_line

# What a call was told is mostly code that somebody wants to see; what came back is mostly long.
MAX_INPUT_LINES = 200
MAX_OUTPUT_LINES = 40
MAX_INLINE_CHARACTERS = 160
NOTABLE_MILLISECONDS = 1000

# Said by every call that succeeds, and seen from the absence of an error.
SUCCESSES = ("Edit applied successfully.", "Wrote file successfully.")
DIFF_HEAD = re.compile(r"(?m)^(?:Index: .*|={60,})\n")


class _Metadata(msgspec.Struct, frozen=True):
    exit: int | None = None
    diff: str = ""


class _Todo(msgspec.Struct, frozen=True):
    content: str
    status: str = ""


Named = dict[str, str]
# What stands on the line itself, and the blocks under it.
Input = tuple[str, Sequence[str]]


def tool(call: Tool) -> str:
    """One call: what it did, what it was told and what came back."""
    metadata = _metadata(call.metadata)
    named = texts(call)
    output, error = named.pop("output", ""), named.pop("error", "")
    inline, blocks = INPUTS.get(call.name, _any_input)(call, named, metadata)
    if output.strip() in SUCCESSES or (call.name == "todowrite" and blocks):
        output = ""
    pieces = [
        " · ".join([f"**{in_prose(call.name)}** {inline}".rstrip(), *_facts(call, metadata)]),
        *blocks,
        cut_fence(output, MAX_OUTPUT_LINES),
        f"Error:\n\n{cut_fence(error, MAX_OUTPUT_LINES)}" if error.strip() else "",
        *(attached(file) for file in call.files),
    ]
    return "\n\n".join(filter(None, pieces))


def attached(file: File) -> str:
    """A file by its name; what a `data:` URL holds is never written out."""
    described = attachments.describe(file)
    kind = f" ({in_prose(described.mime)})" if described.mime else ""
    return f"Attached: {code_span(described.name)}{kind}"


def _facts(call: Tool, metadata: _Metadata) -> list[str]:
    facts = [
        call.status if call.status != "completed" else "",
        f"exit {metadata.exit}" if metadata.exit else "",
        filters.duration(call.milliseconds) if (call.milliseconds or 0) >= NOTABLE_MILLISECONDS else "",
    ]
    return [fact for fact in facts if fact]


def _any_input(call: Tool, named: Named, metadata: _Metadata) -> Input:
    """Short input on the line, what is longer in fences; nothing twice that the title says."""
    title = on_one_line(call.title)
    inline, blocks = [code_span(title)] if title else [], []
    for name, text in named.items():
        name = on_one_line(name.removeprefix("input").removeprefix("."))
        if title and (on_one_line(text) == title or (name == "filePath" and text.endswith(title))):
            continue
        if "\n" in text or len(text) > MAX_INLINE_CHARACTERS:
            fence = cut_fence(text, MAX_INPUT_LINES, _language(text, named.get("input.filePath", "")))
            blocks.append(f"{in_prose(name)}:\n\n{fence}" if name else fence)
        elif text:
            inline.append(f"{in_prose(name)} {code_span(text)}" if inline else code_span(text))
    return " · ".join(inline), blocks


def _language(text: str, path: str) -> str:
    if path:
        return language_of_file(path) or ""
    return "json" if text.startswith(("{", "[")) else ""


def _command(call: Tool, named: Named, metadata: _Metadata) -> Input:
    command = named.get("input.command") or call.title
    return in_prose(named.get("input.description", "")), [cut_fence(command, MAX_INPUT_LINES, "sh")]


def _change(call: Tool, named: Named, metadata: _Metadata) -> Input:
    """The difference that was made, where it is known, instead of the texts it was made from."""
    if not metadata.diff:
        return _any_input(call, named, metadata)
    # The title of a change to several files is a list of them, which the difference names too.
    path = call.title if call.title and "\n" not in call.title else named.get("input.filePath", "")
    return code_span(path), [cut_fence(DIFF_HEAD.sub("", metadata.diff), MAX_INPUT_LINES, "diff")]


def _todos(call: Tool, named: Named, metadata: _Metadata) -> Input:
    try:
        todos = msgspec.json.decode(named.get("input.todos", ""), type=list[_Todo])
    except msgspec.DecodeError:
        return _any_input(call, named, metadata)
    marks = {"completed": "[x]", "cancelled": "[-]"}
    shown = todos[:MAX_INPUT_LINES]
    items = [f"- {marks.get(todo.status, '[ ]')} {in_prose(todo.content)}" for todo in shown]
    if more := len(todos) - len(shown):
        items.append(f"\n... {more:,} more")
    return "", ["\n".join(items)]


def _metadata(json: Raw) -> _Metadata:
    try:
        return read_fields(json, _Metadata)
    except (msgspec.DecodeError, RecursionError):
        return _Metadata()


INPUTS: dict[str, Callable[[Tool, Named, _Metadata], Input]] = {
    "bash": _command,
    "shell": _command,
    "edit": _change,
    "multiedit": _change,
    "apply_patch": _change,
    "patch": _change,
    "todowrite": _todos,
}
