"""Searches in files: which were found, and the lines that matched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from app.opencode.model import Tool
from app.render.filters import plural
from app.render.tools.fields import read_fields
from app.render.tools.view import Code, Form, Match, Matches, Section

# How much of an answer is read.
MAX_LINES = 500
MAX_CHARACTERS = 256 * 1024


class _Input(msgspec.Struct):
    pattern: str = ""
    path: str = ""
    include: str = ""


class _Metadata(msgspec.Struct):
    matches: int | None = None
    count: int | None = None
    truncated: bool = False


def tell_grep(tool: Tool) -> Form:
    wanted = read_fields(tool.input, _Input)
    found = read_fields(tool.metadata, _Metadata)
    facts = [f"in {wanted.include}"] if wanted.include else []
    if found.matches is not None:
        facts.append(_at_least(plural(found.matches, "match", "matches"), found))
    sections = _sections(tool, list(_matches(_lines(tool.output))))
    return Form("Grep", wanted.pattern, wanted.path, facts, sections=sections)


def tell_glob(tool: Tool) -> Form:
    wanted = read_fields(tool.input, _Input)
    found = read_fields(tool.metadata, _Metadata)
    facts = []
    if found.count is not None:
        facts.append(_at_least(plural(found.count, "file"), found))
    paths = [Match(line) for line in _lines(tool.output) if ABSOLUTE.match(line)]
    return Form("Glob", wanted.pattern, wanted.path, facts, sections=_sections(tool, paths))


def tell_list(tool: Tool) -> Form:
    """A folder, as the tree that the tool drew."""
    wanted = read_fields(tool.input, _Input)
    return Form("List", wanted.path or ".", sections=_sections(tool, []))


def _sections(tool: Tool, files: Sequence[Match]) -> list[Section]:
    """The files found; the answer as it stands when it could not be read as any."""
    if files:
        end = sum(len(line) + 1 for line in _lines(tool.output)) - 1
        return [Matches(files, hidden=tool.output.rstrip("\n").count("\n", end))]
    return [Code("output", tool.output)] if tool.output else []


def _lines(output: str) -> list[str]:
    return output[:MAX_CHARACTERS].split("\n", MAX_LINES)[:MAX_LINES]


ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]|\\\\")
LINE = re.compile(r"\s+Line (\d{1,9}): ?(.*)")


def _matches(answer: Sequence[str]) -> Iterator[Match]:
    """The answer of the grep tool: a path, then its lines."""
    path, lines = "", list[tuple[int | None, str]]()
    for text in answer:
        if ABSOLUTE.match(text) and text.endswith(":"):
            if path:
                yield Match(path, lines)
            path, lines = text[:-1], []
        elif found := LINE.fullmatch(text):
            lines.append((int(found[1]), found[2]))
    if path:
        yield Match(path, lines)


def _at_least(count: str, found: _Metadata) -> str:
    return f"first {count}" if found.truncated else count
