"""Steps and their blocks as HTML: a template macro for each kind of block and of section."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.environment import TemplateModule
from markupsafe import Markup

from app.opencode.changes.changes import relative_path
from app.opencode.model import Block, Conversation, File, Notice, Reasoning, Step, Text, Tool, Unknown
from app.render import attachments, filters
from app.render.budget import Budget
from app.render.diff.html import HEAD_ROWS, DiffLines, diff_lines
from app.render.terminal import terminal
from app.render.text.block_texts import texts
from app.render.text.highlight import highlight
from app.render.text.markdown import MAX_CHARACTERS, markdown
from app.render.text.redaction_marks import with_chips
from app.render.tools.registry import Form, tell
from app.render.tools.view import (
    Checklist,
    Child,
    Code,
    Diffs,
    Matches,
    Problem,
    Prose,
    Questions,
    Section,
    Terminal,
)

MAX_SHOWN_LINES = 200
MAX_SHOWN_CHARACTERS = 24 * 1024
# A sub-agent may call others; what is nested deeper has a page of its own.
MAX_DEPTH = 2
MAX_CHILD_BYTES = 64 * 1024

logger = logging.getLogger(__name__)

TEMPLATES = ("blocks/step.html", "blocks/blocks.html", "blocks/sections.html")

BLOCK_MACROS: dict[type[Block], str] = {
    Text: "text",
    Reasoning: "reasoning",
    File: "file",
    Tool: "tool",
    Notice: "notice",
    Unknown: "unknown",
}

SECTION_MACROS: dict[type[Section], str] = {
    Checklist: "checklist",
    Child: "child",
    Code: "code",
    Diffs: "diffs",
    Matches: "matches",
    Problem: "problem",
    Prose: "prose",
    Questions: "questions",
    Terminal: "screen",
}


class Links(Protocol):
    """Where a page finds what it does not hold itself."""

    def full(self, block_id: str, name: str) -> str:
        """The address of one of a block's texts in full, as plain text; `call` names them all."""

    def file(self, file_id: str) -> str:
        """The address of the contents of a `data:` file."""

    def block(self, block_id: str) -> str:
        """The address of a page with this block alone."""

    def part(self, step_id: str, part_id: str) -> str:
        """The lasting address of a part in a step, or of the step itself."""

    def child(self, session_id: str) -> str:
        """The address of a sub-agent's conversation."""


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a text, as lines of HTML, and how much of it was left out."""

    lines: Sequence[Markup]
    hidden_lines: int
    hidden_characters: int
    full_url: str

    @property
    def html(self) -> Markup:
        return Markup("\n").join(self.lines)


@dataclass(frozen=True)
class ShownDiffs:
    """The diffs of files, and what was left out: `hidden_files`, and more yet where `is_cut`."""

    files: Sequence[DiffLines]
    hidden_files: int
    is_cut: bool
    full_url: str


class Renderer:
    """Renders the steps of one page of `conversation`; `budget` is what the page may spend.

    A block that `is_alone` on its page stands there unfolded.
    """

    def __init__(
        self,
        links: Links,
        conversation: Conversation,
        budget: Budget,
        depth: int = 0,
        *,
        is_alone: bool = False,
    ) -> None:
        self.links = links
        self.conversation = conversation
        self.budget = budget
        self.depth = depth
        self.is_alone = is_alone

    def step(self, step: Step, *, shows_who: bool = True) -> Markup:
        """A step with its blocks; `shows_who` unless the step before has said so already."""
        html = _form("blocks/step.html", "step", step, shows_who, self)
        # What is nested inside becomes part of this step, and has its chips with it.
        return with_chips(html) if self.depth == 0 else html

    def block(self, block: Block, step: Step) -> Markup:
        """One block; should its form fail, the rest of the page does not."""
        try:
            return _form("blocks/blocks.html", BLOCK_MACROS[type(block)], block, step, self)
        except Exception:
            logger.exception("a block could not be rendered: %s", type(block).__name__)
            return _form("blocks/blocks.html", "broken", block, step, self)

    def section(self, section: Section, block: Block) -> Markup:
        """One section of a tool's form."""
        return _form("blocks/sections.html", SECTION_MACROS[type(section)], section, block, self)

    def form(self, tool: Tool) -> Form:
        return tell(tool)

    def markdown(self, text: str) -> Markup:
        return markdown(text, self.budget)

    def is_readable_markdown(self, text: str) -> bool:
        return len(text) <= MAX_CHARACTERS

    def excerpts(self, block: Block) -> list[tuple[str, Excerpt]]:
        """The beginnings of all texts of a block, with their names."""
        return [(name, self.excerpt(block, name, text, "json")) for name, text in texts(block).items()]

    def excerpt(self, block: Block, name: str, text: str, language: str | None = None) -> Excerpt:
        """The beginning of a text, highlighted."""
        text = text.rstrip("\n")
        shown = beginning(text)
        return self._excerpt(block, name, text, shown, highlight(shown, language, self.budget))

    def screen(self, block: Block, name: str, text: str) -> Excerpt:
        """The beginning of a terminal's output, in its colours."""
        text = text.rstrip("\n")
        shown = beginning(text)
        return self._excerpt(block, name, text, shown, terminal(shown))

    def diffs(self, diffs: Diffs, full_url: str) -> ShownDiffs:
        """The diffs of files, of as many as the page has rows for; `full_url` has all of them."""
        files: list[DiffLines] = []
        for file in diffs.files:
            if not self.budget.take_rows(HEAD_ROWS):
                break
            files.append(diff_lines(file, self.budget))
        return ShownDiffs(files, len(diffs.files) - len(files), diffs.is_cut, full_url)

    def relative(self, path: str) -> str:
        """A path as seen from the session's folder, which itself is `.`."""
        directory = self.conversation.directory
        return "." if path and path == directory.rstrip("/\\") else relative_path(path, directory)

    def child(self, session_id: str) -> Conversation | None:
        return self.conversation.children.get(session_id)

    def shows_inside(self, child: Conversation) -> bool:
        """Whether a sub-agent's conversation is short enough to stand inside the call that started it."""
        size = sum(step.size for step in child.steps)
        return self.depth < MAX_DEPTH and size <= MAX_CHILD_BYTES and self.budget.take(size)

    def inside(self, child: Conversation) -> Renderer:
        return Renderer(self.links, child, self.budget, self.depth + 1)

    def _excerpt(self, block: Block, name: str, text: str, shown: str, lines: Sequence[Markup]) -> Excerpt:
        return Excerpt(
            lines=lines,
            hidden_lines=text.count("\n", len(shown)),
            hidden_characters=len(text) - len(shown),
            full_url=self.links.full(block.id, name),
        )


def full_text(block: Block, name: str) -> str | None:
    """One of a block's texts by the name that excerpts give it; `call` is all of them together."""
    named = texts(block)
    if isinstance(block, Tool) and name not in named:
        sections = (
            part for part in tell(block).sections if isinstance(part, Code | Diffs | Terminal | Prose)
        )
        named = {**{part.name: part.text for part in sections if part.name}, **named}
    if name == "call":
        return "\n\n".join(f"--- {name} ---\n{text}" for name, text in named.items())
    return named.get(name)


def beginning(text: str) -> str:
    """As much of a text as a page shows at first."""
    return "\n".join(text[:MAX_SHOWN_CHARACTERS].split("\n", MAX_SHOWN_LINES)[:MAX_SHOWN_LINES])


def _form(template: str, macro: str, *values: object) -> Markup:
    return cast(Markup, getattr(_template(template), macro)(*values))


def warm_templates() -> None:
    """Compiles the templates of blocks ahead of their first use."""
    for name in TEMPLATES:
        _template(name)


@cache
def _template(name: str) -> TemplateModule:
    environment = Environment(
        loader=PackageLoader("app"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters.FILTERS)
    environment.filters["as_file"] = attachments.describe
    return environment.get_template(name).module
