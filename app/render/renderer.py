"""Renders steps and their blocks as HTML: a template macro for each kind of block and of section.

The Jinja environment is not Flask's: rendering needs no app, and templates are compiled before workers fork.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Protocol, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.environment import TemplateModule
from markupsafe import Markup

from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded
from app.opencode.model import Block, Conversation, File, Notice, Reasoning, Step, Text, Tool, Unknown
from app.opencode.paths import relative_path
from app.render import attachments, filters
from app.render.activity import Activity, activity_of, activity_of_step, is_notable, runs
from app.render.diff.html import HEAD_ROWS, DiffLines, diff_lines
from app.render.excerpts import HIGHLIGHT_ROWS, DiffExcerpts, Excerpt, beginning, end
from app.render.terminal import terminal
from app.render.text.block_texts import texts
from app.render.text.highlight import highlight
from app.render.text.markdown import MAX_CHARACTERS, markdown
from app.render.text.redaction_marks import with_chips
from app.render.text.thoughts import Passage, passages
from app.render.tools.registry import kind_of, view_of
from app.render.tools.view import (
    CallsSection,
    ChecklistSection,
    CodeSection,
    DiagnosticsSection,
    DiffsSection,
    ErrorSection,
    MarkdownSection,
    MatchesSection,
    NoteSection,
    QuestionsSection,
    Section,
    SubagentSection,
    TerminalSection,
    ToolView,
)

# A sub-agent may call others; what is nested deeper has a page of its own.
MAX_DEPTH = 2
MAX_CHILD_BYTES = 64 * 1024

logger = logging.getLogger(__name__)

TEMPLATES = ("blocks/step.html", "blocks/run.html", "blocks/blocks.html", "blocks/sections.html")

BLOCK_MACROS: dict[type[Block], str] = {
    Text: "text",
    Reasoning: "reasoning",
    File: "file",
    Tool: "tool",
    Notice: "notice",
    Unknown: "unknown",
}

SECTION_MACROS: dict[type[Section], str] = {
    CallsSection: "calls",
    ChecklistSection: "checklist",
    SubagentSection: "subagent",
    CodeSection: "code",
    DiagnosticsSection: "diagnostics",
    DiffsSection: "diffs",
    MatchesSection: "matches",
    ErrorSection: "error",
    MarkdownSection: "markdown",
    NoteSection: "note",
    QuestionsSection: "questions",
    TerminalSection: "terminal",
}


class Links(Protocol):
    """URLs of what a page does not contain itself."""

    def document(self) -> str:
        """The URL of the whole session as JSON."""

    def full(self, block_id: str, name: str) -> str:
        """The URL of one of a block's texts in full, as plain text; `call` names all of them."""

    def file(self, file_id: str) -> str:
        """The URL of the contents of a `data:` file."""

    def block(self, block_id: str) -> str:
        """The URL of a page with this block alone."""

    def part(self, step_id: str, part_id: str) -> str:
        """The permalink of a part in a step, or of the step itself."""

    def child(self, session_id: str) -> str:
        """The URL of a sub-agent's conversation."""


class Renderer:
    """Renders the steps of one page of `conversation`; `budget` is what the page may spend.

    `depth` counts the sub-agents around it. A block that `is_alone` on its page is open.
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
        self._markdown_texts: Counter[str] = Counter()

    def author(self, step: Step, since: int | None = None) -> Markup:
        """Who a step is from, and when; after `since` (epoch ms), how long after it."""
        return _render_macro("blocks/step.html", "author", step, since, self)

    def step(self, step: Step) -> Markup:
        """A step with its blocks."""
        html = _render_macro("blocks/step.html", "step", step, self)
        # The steps of sub-agents become part of this one, whose chips are set at the end.
        return with_chips(html) if self.depth == 0 else html

    def contents(self, step: Step) -> Markup:
        """The blocks of a step, in runs; a step that is nothing but one may be part of a longer run."""
        blocks = list(self.blocks(step))
        return Markup().join(html for html, _ in blocks) if activity_of_step(step) else self.join(blocks)

    def join(self, items: Iterable[tuple[Markup, Activity | None]]) -> Markup:
        """Blocks or steps with what they did; runs of those that only look at something are folded."""
        return Markup().join(
            _render_macro("blocks/run.html", "run", Markup().join(run.items), run.activity)
            if run.activity
            else Markup().join(run.items)
            for run in runs(items)
        )

    def blocks(self, step: Step) -> Iterator[tuple[Markup, Activity | None]]:
        """The blocks of a step for which the budget suffices, and how many others there are."""
        blocks = self.shown_blocks(step)
        for place, block in enumerate(blocks):
            if not self.budget.take_block():
                yield _render_macro("blocks/blocks.html", "omitted", len(blocks) - place, self), None
                return
            html = self.block(block, step)
            self.budget.write(len(html))
            yield html, activity_of(block)

    def shown_blocks(self, step: Step) -> Sequence[Block]:
        return step.blocks

    def block(self, block: Block, step: Step) -> Markup:
        """One block; if that fails or takes too long, a note in its place, and the page goes on."""
        try:
            with self.budget.block_limit():
                return _render_macro("blocks/blocks.html", BLOCK_MACROS[type(block)], block, step, self)
        except (TimeLimitExceeded, Exception) as error:
            logger.warning("a block could not be rendered: %s", type(block).__name__, exc_info=error)
            return _render_macro("blocks/blocks.html", "broken", block, step, self)

    def section(self, section: Section, block: Block) -> Markup:
        """One section of a tool's view."""
        return _render_macro("blocks/sections.html", SECTION_MACROS[type(section)], section, block, self)

    def view(self, tool: Tool) -> ToolView:
        return view_of(tool)

    def kind(self, tool: Tool) -> str:
        return kind_of(tool)

    def opens(self, tool: Tool, view: ToolView) -> bool:
        """Whether a call is open at first."""
        return self.is_alone or is_notable(tool, view)

    @property
    def shown_rows(self) -> int:
        """How many rows of a change are shown at first."""
        return sys.maxsize if self.is_alone else HIGHLIGHT_ROWS

    def markdown(self, block: Block, text: str) -> Markup:
        """One of the texts of a block; the ids in it differ from those in the others."""
        self._markdown_texts[block.id] += 1
        return markdown(text, self.budget, f"{block.id}-{self._markdown_texts[block.id]}")

    def passages(self, text: str) -> list[Passage]:
        """The text of an answer, with the thoughts in it told apart."""
        return passages(text)

    def is_readable_markdown(self, text: str) -> bool:
        return len(text) <= MAX_CHARACTERS

    def excerpts(self, block: Block) -> list[tuple[str, Excerpt]]:
        """Excerpts of all texts of a block, with their names."""
        return [(name, self.excerpt(block, name, text, "json")) for name, text in texts(block).items()]

    def excerpt(self, block: Block, name: str, text: str, language: str | None = None) -> Excerpt:
        """The beginning of a text, highlighted."""
        text = text.rstrip("\r\n")
        head = beginning(text)
        return self._excerpt(block, name, text, head, highlight(head, language, self.budget))

    def screen(self, block: Block, name: str, text: str, *, from_end: bool = False) -> Excerpt:
        """The beginning of a terminal's output, or its end, in its colours."""
        text = text.rstrip("\r\n")
        if from_end and not self.is_alone:
            tail = end(text)
            return self._excerpt(block, name, text, tail, terminal(tail), from_end=True)
        head = beginning(text)
        return self._excerpt(block, name, text, head, terminal(head))

    def diffs(self, section: DiffsSection, full_url: str) -> DiffExcerpts:
        """The diffs of as many files as the page has rows for; `full_url` has all of them."""
        files: list[DiffLines] = []
        for file in section.files:
            if not self.budget.take_rows(HEAD_ROWS):
                break
            files.append(diff_lines(file, self.budget))
        return DiffExcerpts(files, len(section.files) - len(files), section.is_cut, full_url)

    def relative(self, path: str) -> str:
        """A path relative to the session's folder, which itself is `.`."""
        directory = self.conversation.directory
        return "." if path and path == directory.rstrip("/\\") else relative_path(path, directory)

    def child(self, session_id: str) -> Conversation | None:
        return self.conversation.children.get(session_id)

    def shows_inside(self, child: Conversation) -> bool:
        """Whether a sub-agent's conversation is short enough to be shown inside the call that started it."""
        return (
            self.depth < MAX_DEPTH
            and child.weight <= MAX_CHILD_BYTES
            and self.budget.has_blocks(child.step_count)
            and self.budget.take(child.weight)
        )

    def inside(self, child: Conversation) -> Renderer:
        return Renderer(self.links, child, self.budget, self.depth + 1)

    def _excerpt(
        self,
        block: Block,
        name: str,
        text: str,
        shown: str,
        lines: Sequence[Markup],
        *,
        from_end: bool = False,
    ) -> Excerpt:
        return Excerpt(
            lines=lines,
            hidden_lines=text.count("\n") - shown.count("\n"),
            hidden_characters=len(text) - len(shown),
            full_url=self.links.full(block.id, name),
            from_end=from_end,
        )


def _render_macro(template: str, macro: str, *values: object) -> Markup:
    return cast(Markup, getattr(_template(template), macro)(*values))


def warm_templates() -> None:
    """Compiles the templates of blocks before their first use."""
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
