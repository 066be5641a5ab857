"""Calls of tools as Markdown: a line that says what was done, then input and output in fences."""

from __future__ import annotations

from collections.abc import Callable

from app.opencode.model import File, Tool
from app.opencode.paths import relative_path
from app.render import attachments, filters
from app.render.activity import is_notable
from app.render.excerpts import HIGHLIGHT_ROWS
from app.render.text.block_texts import as_json, texts
from app.render.tools.registry import entry_of, view_of
from app.render.tools.view import ToolView
from app.render.tools.wrappers import without_wrappers
from app.render.transcript.inputs import Metadata, read_metadata
from app.render.transcript.text import code_span, cut_fence, end_fence, in_prose

# Input is mostly code that somebody wants to see, so more of it is shown than of output.
MAX_INPUT_LINES = 200
MAX_OUTPUT_LINES = 40
NOTABLE_MILLISECONDS = 1000

# Every call that succeeds says this; the absence of an error says the same.
SUCCESSES = ("Edit applied successfully.", "Wrote file successfully.")


def tool(call: Tool) -> str:
    """One call: what it did, its input and its output."""
    return _call(call, MAX_INPUT_LINES, MAX_OUTPUT_LINES, cut_fence)


def tool_highlights(call: Tool, directory: str, *, is_last_list: bool = False) -> str:
    """What matters about one call: a line, and what it changed, asked, showed, or failed with.

    Of lists of todos only the last one matters, which `is_last_list`.
    """
    view = view_of(call)
    if is_last_list or is_notable(call, view):
        return _call(call, HIGHLIGHT_ROWS, HIGHLIGHT_ROWS, end_fence)
    return _line(call, view, directory)


def _call(call: Tool, max_input: int, max_output: int, fence: Callable[[str, int, str], str]) -> str:
    metadata = read_metadata(call.metadata)
    named = texts(call)
    output, error = named.pop("output", ""), named.pop("error", "")
    output, notes = without_wrappers(output)
    inline, blocks = entry_of(call).write_input(call, named, metadata, max_input)
    if output.strip() in SUCCESSES or (call.name == "todowrite" and blocks):
        output = ""
    pieces = [
        " · ".join([f"**{in_prose(call.name)}** {inline}".rstrip(), *_facts(call, metadata)]),
        *blocks,
        fence(output, max_output, "json" if as_json(output) else ""),
        *(f"*{in_prose(note)}*" for note in notes),
        f"Error:\n\n{fence(error, max_output, '')}" if error.strip() else "",
        *(attached(file) for file in call.files),
    ]
    return "\n\n".join(filter(None, pieces))


def attached(file: File) -> str:
    """A file by its name; what a `data:` URL holds is never written out."""
    description = attachments.describe(file)
    kind = f" ({in_prose(description.mime)})" if description.mime else ""
    return f"Attached: {code_span(description.name)}{kind}"


def _line(call: Tool, view: ToolView, directory: str) -> str:
    """A call as its line on a page."""
    change = f"+{view.change[0]} -{view.change[1]}" if view.change else ""
    facts = [change, *map(in_prose, view.facts), *_facts(call, Metadata())]
    subject = code_span(relative_path(view.subject, directory))
    return " · ".join(filter(None, [f"**{in_prose(view.action)}** {subject}".rstrip(), *facts]))


def _facts(call: Tool, metadata: Metadata) -> list[str]:
    facts = [
        call.status if call.status != "completed" else "",
        f"exit {metadata.exit}" if metadata.exit else "",
        filters.duration(call.milliseconds) if (call.milliseconds or 0) >= NOTABLE_MILLISECONDS else "",
    ]
    return [fact for fact in facts if fact]
