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


class _Resource(msgspec.Struct):
    server: str = ""
    uri: str = ""


def resource_view(tool: Tool) -> ToolView:
    """A resource of an MCP server."""
    resource = read_fields(tool.input, _Resource)
    facts = [f"from {resource.server}"] if resource.server else []
    sections = _output(tool, is_markdown=False)
    return ToolView("Read resource", resource.uri, facts=facts, sections=sections)


def resources_view(tool: Tool) -> ToolView:
    """The resources that MCP servers have."""
    server = read_fields(tool.input, _Resource).server
    sections = _output(tool, is_markdown=False)
    return ToolView("List resources", server or "of every MCP server", sections=sections)


def _output(tool: Tool, *, is_markdown: bool) -> list[Section]:
    if not tool.output:
        return []
    if is_markdown:
        return [MarkdownSection("output", tool.output)]
    return [CodeSection("output", tool.output, "json" if tool.output.lstrip()[:1] in ("{", "[") else None)]
