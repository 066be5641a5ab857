"""Views of web requests and web searches."""

from __future__ import annotations

import msgspec

from app.opencode.model import Tool
from app.render.tools.fields import read_fields
from app.render.tools.view import CodeSection, MarkdownSection, Section, ToolView


class _Input(msgspec.Struct):
    url: str = ""
    query: str = ""
    format: str = ""


def fetch_view(tool: Tool) -> ToolView:
    input = read_fields(tool.input, _Input)
    return ToolView("Fetch", input.url, sections=_output(tool, is_markdown=input.format == "markdown"))


def search_view(tool: Tool) -> ToolView:
    input = read_fields(tool.input, _Input)
    return ToolView("Search the web", input.query, sections=_output(tool, is_markdown=True))


def _output(tool: Tool, *, is_markdown: bool) -> list[Section]:
    if not tool.output:
        return []
    return [MarkdownSection("output", tool.output) if is_markdown else CodeSection("output", tool.output)]
