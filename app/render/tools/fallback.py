"""View of tools that are not in the registry: those of MCP servers, plugins and other versions."""

from __future__ import annotations

from app.opencode.model import Tool
from app.render.text.block_texts import texts
from app.render.text.highlight import language_of_file
from app.render.tools.view import CodeSection, Section, ToolView

MAX_SUBJECT = 120


def fallback_view(tool: Tool) -> ToolView:
    """The input field by field, then the output."""
    named = texts(tool)
    named.pop("error", None)
    path = named.get("input.filePath") or named.get("input.path") or ""
    sections: list[Section] = [
        CodeSection(name, text, _language(name, text, path), label=name.removeprefix("input."))
        for name, text in named.items()
    ]
    return ToolView(tool.name, tool.title or _short_input(named), sections=sections)


def _short_input(named: dict[str, str]) -> str:
    """The first input that is short enough to stand in the line."""
    for name, text in named.items():
        if name.startswith("input.") and 0 < len(text) <= MAX_SUBJECT and "\n" not in text:
            return text
    return ""


def _language(name: str, text: str, path: str) -> str | None:
    if name == "input.content":
        return language_of_file(path)
    return "json" if text.lstrip().startswith(("{", "[")) else None
