"""The beginnings and ends of texts that pages show, and the whole texts that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.opencode.model import Block, Tool
from app.render.diff.html import DiffLines
from app.render.text.block_texts import texts
from app.render.tools.registry import view_of
from app.render.tools.view import (
    CodeSection,
    DiagnosticsSection,
    DiffsSection,
    MarkdownSection,
    TerminalSection,
)

MAX_SHOWN_LINES = 200
MAX_SHOWN_CHARACTERS = 24 * 1024
# What a call that is open at first shows of a change, and of the output of what failed.
HIGHLIGHT_ROWS = 20

SECTIONS_WITH_TEXT = (CodeSection, DiagnosticsSection, DiffsSection, TerminalSection, MarkdownSection)


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a text as lines of HTML, or its end if it is `from_end`, and how much was left out."""

    lines: Sequence[Markup]
    hidden_lines: int
    hidden_characters: int
    full_url: str
    from_end: bool = False

    @property
    def html(self) -> Markup:
        return Markup("\n").join(self.lines)


@dataclass(frozen=True)
class DiffExcerpts:
    """The diffs of files, and what was left out: `hidden_files`, and still more if `is_cut`."""

    files: Sequence[DiffLines]
    hidden_files: int
    is_cut: bool
    full_url: str


def full_text(block: Block, name: str) -> str | None:
    """One of a block's texts by the name that its excerpt has; `call` is all of them together."""
    named = texts(block)
    if isinstance(block, Tool) and name not in named:
        sections = (part for part in view_of(block).sections if isinstance(part, SECTIONS_WITH_TEXT))
        more = {part.name: part.text for part in sections if part.name}
        named |= {name: text for name, text in more.items() if name not in named}
    if name == "call":
        return "\n\n".join(f"--- {name} ---\n{text}" for name, text in named.items())
    return named.get(name)


def beginning(text: str) -> str:
    """As much of a text as an excerpt shows."""
    return "\n".join(text[:MAX_SHOWN_CHARACTERS].split("\n", MAX_SHOWN_LINES)[:MAX_SHOWN_LINES])


def end(text: str) -> str:
    """As much of the end of a text as the excerpt of a failure shows."""
    return "\n".join(text[-MAX_SHOWN_CHARACTERS:].rsplit("\n", HIGHLIGHT_ROWS)[-HIGHLIGHT_ROWS:])
