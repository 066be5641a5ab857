"""Pages that were fetched, and searches of the web."""

from __future__ import annotations

import msgspec

from app.opencode.model import Tool
from app.render.tools.fields import read_fields
from app.render.tools.view import Code, Form, Prose, Section


class _Input(msgspec.Struct):
    url: str = ""
    query: str = ""
    format: str = ""


def tell_fetch(tool: Tool) -> Form:
    wanted = read_fields(tool.input, _Input)
    return Form("Fetch", wanted.url, sections=_answer(tool, is_markdown=wanted.format == "markdown"))


def tell_search(tool: Tool) -> Form:
    wanted = read_fields(tool.input, _Input)
    return Form("Search the web", wanted.query, sections=_answer(tool, is_markdown=True))


def _answer(tool: Tool, *, is_markdown: bool) -> list[Section]:
    if not tool.output:
        return []
    return [Prose("output", tool.output) if is_markdown else Code("output", tool.output)]
