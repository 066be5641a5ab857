"""Searches in files: which were found, and the lines that matched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from app.render.forms.fields import read_fields
from app.render.forms.form import Code, Form, Match, Matches, Section, plural
from app.session.model import Tool

MAX_FILES = 200
MAX_LINES = 500


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
    sections = _sections(tool, list(_matches(tool.output)))
    return Form("Grep", wanted.pattern, wanted.path, facts, sections=sections)


def tell_glob(tool: Tool) -> Form:
    wanted = read_fields(tool.input, _Input)
    found = read_fields(tool.metadata, _Metadata)
    facts = []
    if found.count is not None:
        facts.append(_at_least(plural(found.count, "file"), found))
    paths = [Match(line) for line in tool.output.splitlines() if line.startswith("/")]
    return Form("Glob", wanted.pattern, wanted.path, facts, sections=_sections(tool, paths))


def tell_list(tool: Tool) -> Form:
    """A folder, as the tree that the tool drew."""
    wanted = read_fields(tool.input, _Input)
    return Form("List", wanted.path or ".", sections=_sections(tool, []))


def _sections(tool: Tool, files: list[Match]) -> list[Section]:
    """The files found; the answer as it stands when it could not be read as any."""
    if files:
        return [Matches(files[:MAX_FILES], hidden=max(0, len(files) - MAX_FILES))]
    return [Code("output", tool.output)] if tool.output else []


PATH = re.compile(r"(/.*):")
LINE = re.compile(r"\s+Line (\d+): ?(.*)")


def _matches(output: str) -> Iterator[Match]:
    """The answer of the grep tool: a path, then its lines."""
    path, lines = "", list[tuple[int | None, str]]()
    for text in output.splitlines()[:MAX_LINES]:
        if found := PATH.fullmatch(text):
            if path:
                yield Match(path, lines)
            path, lines = found[1], []
        elif found := LINE.fullmatch(text):
            lines.append((int(found[1]), found[2]))
    if path:
        yield Match(path, lines)


def _at_least(count: str, found: _Metadata) -> str:
    return f"first {count}" if found.truncated else count
