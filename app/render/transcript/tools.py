"""Calls of tools as Markdown: a line that says what was done, then input and output in fences."""

from __future__ import annotations

from app.opencode.model import File, Tool
from app.render import attachments, filters
from app.render.text.block_texts import as_json, texts
from app.render.tools.registry import entry_of
from app.render.tools.wrappers import without_wrappers
from app.render.transcript.inputs import Metadata, read_metadata
from app.render.transcript.text import code_span, cut_fence, in_prose

MAX_OUTPUT_LINES = 40
NOTABLE_MILLISECONDS = 1000

# Every call that succeeds says this; the absence of an error says the same.
SUCCESSES = ("Edit applied successfully.", "Wrote file successfully.")


def tool(call: Tool) -> str:
    """One call: what it did, its input and its output."""
    metadata = read_metadata(call.metadata)
    named = texts(call)
    output, error = named.pop("output", ""), named.pop("error", "")
    output, notes = without_wrappers(output)
    inline, blocks = entry_of(call).write_input(call, named, metadata)
    if output.strip() in SUCCESSES or (call.name == "todowrite" and blocks):
        output = ""
    pieces = [
        " · ".join([f"**{in_prose(call.name)}** {inline}".rstrip(), *_facts(call, metadata)]),
        *blocks,
        cut_fence(output, MAX_OUTPUT_LINES, "json" if as_json(output) else ""),
        *(f"*{in_prose(note)}*" for note in notes),
        f"Error:\n\n{cut_fence(error, MAX_OUTPUT_LINES)}" if error.strip() else "",
        *(attached(file) for file in call.files),
    ]
    return "\n\n".join(filter(None, pieces))


def attached(file: File) -> str:
    """A file by its name; what a `data:` URL holds is never written out."""
    description = attachments.describe(file)
    kind = f" ({in_prose(description.mime)})" if description.mime else ""
    return f"Attached: {code_span(description.name)}{kind}"


def _facts(call: Tool, metadata: Metadata) -> list[str]:
    facts = [
        call.status if call.status != "completed" else "",
        f"exit {metadata.exit}" if metadata.exit else "",
        filters.duration(call.milliseconds) if (call.milliseconds or 0) >= NOTABLE_MILLISECONDS else "",
    ]
    return [fact for fact in facts if fact]
