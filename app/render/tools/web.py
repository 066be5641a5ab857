"""Views of web requests and web searches."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from app.opencode.model import Tool
from app.render.tools.fields import read_fields
from app.render.tools.outputs import output_section
from app.render.tools.view import CodeSection, MarkdownSection, Section, ToolView

# The formats that a page can be asked for in.
FORMATS: dict[str, Callable[[str], Section]] = {
    "markdown": lambda text: MarkdownSection("output", text),
    "html": lambda text: CodeSection("output", text, "html"),
    "text": lambda text: CodeSection("output", text),
}


class _Input(msgspec.Struct):
    url: str = ""
    query: str = ""
    format: str = ""


def fetch_view(tool: Tool) -> ToolView:
    input = read_fields(tool.input, _Input)
    sections = _output(tool)
    if tool.output and input.format in FORMATS:
        sections = [FORMATS[input.format](tool.output)]
    return ToolView("Fetch", input.url, sections=sections)


def search_view(tool: Tool) -> ToolView:
    input = read_fields(tool.input, _Input)
    return ToolView(
        "Search the web",
        input.query,
        sections=[MarkdownSection("output", tool.output)] if tool.output else [],
    )


class _Resource(msgspec.Struct):
    server: str = ""
    uri: str = ""


def resource_view(tool: Tool) -> ToolView:
    """A resource of an MCP server."""
    resource = read_fields(tool.input, _Resource)
    facts = [f"from {resource.server}"] if resource.server else []
    sections = _output(tool)
    return ToolView("Read resource", resource.uri, facts=facts, sections=sections)


def resources_view(tool: Tool) -> ToolView:
    """The resources that MCP servers have."""
    server = read_fields(tool.input, _Resource).server
    sections = _output(tool)
    return ToolView("List resources", server or "of every MCP server", sections=sections)


def _output(tool: Tool) -> list[Section]:
    return [output_section("output", tool.output)] if tool.output else []
