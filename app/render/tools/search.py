"""Views of searches in files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from app.opencode.model import Tool
from app.render.filters import plural
from app.render.tools.fields import read_fields
from app.render.tools.outputs import output_section
from app.render.tools.view import CodeSection, Match, MatchesSection, Section, ToolView

# Limits of the output that is read.
MAX_LINES = 500
MAX_CHARACTERS = 256 * 1024


class _Input(msgspec.Struct):
    pattern: str = ""
    path: str = ""
    include: str = ""


class _Lsp(msgspec.Struct):
    operation: str = ""
    filePath: str = ""  # noqa: N815 - OpenCode's name
    line: int | None = None
    character: int | None = None
    query: str = ""


class _Metadata(msgspec.Struct):
    matches: int | None = None
    count: int | None = None
    truncated: bool = False


def grep_view(tool: Tool) -> ToolView:
    input = read_fields(tool.input, _Input)
    metadata = read_fields(tool.metadata, _Metadata)
    facts = [f"in {input.include}"] if input.include else []
    if metadata.matches is not None:
        facts.append(_at_least(plural(metadata.matches, "match", "matches"), metadata))
    sections = _sections(tool, list(_matches(_lines(tool.output))))
    return ToolView("Grep", input.pattern, input.path, facts, sections=sections)


def glob_view(tool: Tool) -> ToolView:
    input = read_fields(tool.input, _Input)
    metadata = read_fields(tool.metadata, _Metadata)
    facts = []
    if metadata.count is not None:
        facts.append(_at_least(plural(metadata.count, "file"), metadata))
    paths = [Match(line) for line in _lines(tool.output) if ABSOLUTE.match(line)]
    return ToolView("Glob", input.pattern, input.path, facts, sections=_sections(tool, paths))


def lsp_view(tool: Tool) -> ToolView:
    """A question to the language server about a place in a file, or about a name."""
    input = read_fields(tool.input, _Lsp)
    places = (str(place) for place in (input.line, input.character) if place is not None)
    place = ":".join([input.filePath, *places]) if input.filePath else ""
    subject = input.query or place
    sections = [output_section("output", tool.output)] if tool.output else []
    return ToolView(
        "Language server", subject, facts=[input.operation] if input.operation else [], sections=sections
    )


def list_view(tool: Tool) -> ToolView:
    """A folder, as the tree that the tool printed."""
    input = read_fields(tool.input, _Input)
    return ToolView("List", input.path or ".", sections=_sections(tool, []))


def _sections(tool: Tool, files: Sequence[Match]) -> list[Section]:
    """The files in the output; the output itself if it contains none."""
    if files:
        end = sum(len(line) + 1 for line in _lines(tool.output)) - 1
        return [MatchesSection(files, hidden=tool.output.rstrip("\n").count("\n", end))]
    return [CodeSection("output", tool.output)] if tool.output else []


def _lines(output: str) -> list[str]:
    return output[:MAX_CHARACTERS].split("\n", MAX_LINES)[:MAX_LINES]


ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]|\\\\")
LINE = re.compile(r"\s+Line (\d{1,9}): ?(.*)")


def _matches(output: Sequence[str]) -> Iterator[Match]:
    """The output of the grep tool: a path, then its lines."""
    path, lines = "", list[tuple[int | None, str]]()
    for text in output:
        if ABSOLUTE.match(text) and text.endswith(":"):
            if path:
                yield Match(path, lines)
            path, lines = text[:-1], []
        elif match := LINE.fullmatch(text):
            lines.append((int(match[1]), match[2]))
    if path:
        yield Match(path, lines)


def _at_least(count: str, metadata: _Metadata) -> str:
    return f"first {count}" if metadata.truncated else count
