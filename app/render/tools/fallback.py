"""View of tools that are not in the registry: those of MCP servers, plugins and other versions."""

from __future__ import annotations

from app.opencode.model import Tool
from app.render.text.block_texts import fields_of, texts
from app.render.text.highlight import language_of_file
from app.render.tools.subjects import telling
from app.render.tools.view import CodeSection, Section, ToolView


def fallback_view(tool: Tool) -> ToolView:
    """The input field by field, then the output."""
    named = texts(tool)
    named.pop("error", None)
    path = named.get("input.filePath") or named.get("input.path") or ""
    sections: list[Section] = [
        CodeSection(name, text, _language(name, text, path), label=name.removeprefix("input."))
        for name, text in named.items()
    ]
    return ToolView(tool.name, tool.title or telling(fields_of(tool.input)), sections=sections)


def _language(name: str, text: str, path: str) -> str | None:
    if name == "input.content":
        return language_of_file(path)
    return "json" if text.lstrip().startswith(("{", "[")) else None
