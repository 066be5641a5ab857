"""Views of tools that are not in the registry: those of MCP servers, plugins and other versions.

What such a tool does is told by the names of its input, compared in lower case and without `_` and `-`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.opencode.model import Tool
from app.render.text.block_texts import as_json, texts
from app.render.text.highlight import language_of_file
from app.render.tools.outputs import numbered_lines, output_section
from app.render.tools.subjects import MAX_SUBJECT, is_words, plain_name, telling
from app.render.tools.view import (
    CodeSection,
    MarkdownSection,
    Section,
    SubagentSection,
    TerminalSection,
    ToolView,
)

COMMAND = ("command", "cmd", "tmuxcommand", "shellcommand", "commandline")
FOLDER = ("workdir", "cwd", "workingdirectory", "directory")
FILE = ("filepath", "path", "file", "relativepath", "absolutepath", "filename")
QUERY = ("query", "pattern", "search", "q", "regex", "searchterm", "substringpattern")
QUESTION = ("goal", "question", "prompt")
AGENT = ("subagenttype", "agenttype", "agentname", "agent", "category")
PROMPT = ("prompt", "task", "instructions", "message")
TASK = ("taskid", "backgroundtaskid")
CONTENT = ("content", "contents", "filetext", "text", "newstring", "oldstring", "newstr", "oldstr", "patch")

# Words in the name of a tool that returns a file, rather than something about it.
READING = frozenset({"cat", "content", "contents", "open", "read", "view"})
# Words in the name of a tool that only looks for something.
SEARCHING = frozenset({"docs", "find", "grep", "lookup", "search"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
MAX_NAME = 200
# What the line of a call shows of a fact.
MAX_FACT = 80


@dataclass(frozen=True)
class _Call:
    """A call with the texts of its input by name, and those that are words by plain name."""

    tool: Tool
    named: Mapping[str, str]
    words: Mapping[str, str]

    def first(self, names: Sequence[str]) -> str:
        """The first of these fields that the call has."""
        return next((self.words[name] for name in names if name in self.words), "")

    @property
    def name_words(self) -> set[str]:
        return {word.lower() for word in _WORD.findall(self.tool.name[:MAX_NAME])}

    def has(self, names: Sequence[str]) -> bool:
        return any(name in self.words for name in names)

    def view(
        self,
        output: Section | None,
        *,
        subject: str = "",
        where: str = "",
        facts: Sequence[str] = (),
        said: Sequence[str] = (),
    ) -> ToolView:
        """The line, then the input that is neither on it nor listed in `said`, then the output."""
        fields = {_key(name): text for name, text in self.named.items()}
        subject = subject or self.tool.title or telling(fields)
        on_line = [text for text in (where, *facts) if len(text) <= MAX_FACT]
        known = {"", *on_line, *said, subject if len(subject) <= MAX_SUBJECT else ""}
        sections: list[Section] = [
            CodeSection(name, text, self._language(name, text), label=_key(name))
            for name, text in self.named.items()
            if text.strip() not in known
        ]
        if output:
            sections.append(output)
        return ToolView(self.tool.name, subject, where, facts, sections=sections)

    def _language(self, name: str, text: str) -> str | None:
        field = plain_name(_key(name))
        if field in CONTENT:
            return language_of_file(self.first(FILE))
        if field in COMMAND:
            return "bash"
        return "json" if text.lstrip().startswith(("{", "[")) else None


def fallback_view(tool: Tool) -> ToolView:
    """The view that fits the input; if none does, all fields and the output in its own form."""
    call = _call(tool)
    return _shape(call).view(call)


def fallback_kind(tool: Tool) -> str:
    """What a call does, as in `app.opencode.calls`."""
    return _shape(_call(tool)).kind


def _call(tool: Tool) -> _Call:
    named = texts(tool)
    for name in ("output", "error"):
        named.pop(name, None)
    words = {plain_name(_key(name)): text.strip() for name, text in named.items() if is_words(text.strip())}
    return _Call(tool, named, words)


def _shape(call: _Call) -> _Shape:
    return next(shape for shape in SHAPES if shape.fits(call))


def _command_view(call: _Call) -> ToolView:
    output = call.tool.output
    section = TerminalSection("output", output) if output.strip() else None
    return call.view(section, subject=_first_line(call.first(COMMAND)), where=call.first(FOLDER))


def _agent_view(call: _Call) -> ToolView:
    """The prompt and the result of a sub-agent, and its own conversation."""
    prompt = call.first(PROMPT)
    name = next(name for name, text in call.named.items() if text.strip() == prompt)
    child = SubagentSection(call.tool.child_id, MarkdownSection(name, prompt, "Prompt"), _report(call))
    return call.view(child, facts=[call.first(AGENT)], said=[prompt])


def _report_view(call: _Call) -> ToolView:
    """What a model said about a file, or at the end of a task."""
    return call.view(_report(call))


def _search_view(call: _Call) -> ToolView:
    return call.view(_output(call), subject=_first_line(call.first(QUERY)), where=call.first(FILE))


def _file_view(call: _Call) -> ToolView:
    """A file in the language of its name, with its numbers if it has any."""
    path = call.first(FILE)
    language = language_of_file(path)
    text, first_line = numbered_lines(call.tool.output)
    is_code = first_line is not None or (language and (language == "json" or as_json(text) is None))
    code = CodeSection("output", text, language, first_line, "output")
    return call.view(code if is_code and text else _output(call), subject=path)


def _any_view(call: _Call) -> ToolView:
    return call.view(_output(call))


def _is_delegation(call: _Call) -> bool:
    return call.has(PROMPT) and call.has(AGENT)


def _is_about_a_report(call: _Call) -> bool:
    return (call.has(FILE) and call.has(QUESTION)) or (len(call.words) == 1 and call.has(TASK))


def _is_searching(call: _Call) -> bool:
    """A query may also be one that changes a database."""
    return call.has(QUERY) and not SEARCHING.isdisjoint(call.name_words)


def _is_reading(call: _Call) -> bool:
    return call.has(FILE) and not call.has(CONTENT) and not READING.isdisjoint(call.name_words)


class _Shape(NamedTuple):
    fits: Callable[[_Call], bool]
    view: Callable[[_Call], ToolView]
    kind: str


# What a call does and how it is shown; the first that fits is taken.
SHAPES: Sequence[_Shape] = (
    _Shape(lambda call: call.has(COMMAND), _command_view, "command"),
    _Shape(_is_delegation, _agent_view, "agent"),
    _Shape(_is_about_a_report, _report_view, "other"),
    _Shape(_is_searching, _search_view, "search"),
    _Shape(lambda call: call.has(QUERY), _search_view, "other"),
    _Shape(_is_reading, _file_view, "read"),
    _Shape(lambda call: True, _any_view, "other"),
)


def _output(call: _Call) -> Section | None:
    return output_section("output", call.tool.output, "output") if call.tool.output else None


def _report(call: _Call) -> MarkdownSection | None:
    return MarkdownSection("output", call.tool.output, "Result") if call.tool.output else None


def _first_line(text: str) -> str:
    first, newline, _ = text.partition("\n")
    return f"{first} …" if newline else first


def _key(name: str) -> str:
    """The name of a field, from that of its text."""
    return name.removeprefix("input").removeprefix(".")
