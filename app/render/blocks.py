"""Steps and their blocks as HTML: a template macro for each kind of block."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.environment import TemplateModule
from markupsafe import Markup

from app.render import files, labels
from app.render.code import highlight, language_of_file
from app.render.guard import Budget
from app.render.markdown import MAX_CHARACTERS, markdown
from app.session.model import Block, File, Notice, Reasoning, Step, Text, Tool, Unknown
from app.session.texts import texts

MAX_SHOWN_LINES = 200
MAX_SHOWN_CHARACTERS = 24 * 1024

logger = logging.getLogger(__name__)

MACROS: dict[type[Block], str] = {
    Text: "text",
    Reasoning: "reasoning",
    File: "file",
    Tool: "tool",
    Notice: "notice",
    Unknown: "unknown",
}


class Links(Protocol):
    """Where a page finds what it does not hold itself."""

    def full(self, block_id: str, name: str) -> str:
        """The address of one of a block's texts in full, as plain text."""

    def file(self, file_id: str) -> str:
        """The address of the contents of a `data:` file."""


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a text as lines of HTML, and how much of it was left out."""

    name: str
    lines: Sequence[Markup]
    hidden_lines: int
    hidden_characters: int
    full_url: str

    @property
    def is_cut(self) -> bool:
        return self.hidden_characters > 0

    @property
    def html(self) -> Markup:
        return Markup("\n").join(self.lines)


class Renderer:
    """Renders the blocks of one page; `directory` is the session's, `budget` what the page may spend."""

    def __init__(self, links: Links, directory: str, budget: Budget) -> None:
        self.links = links
        self.directory = directory
        self.budget = budget

    def step(self, step: Step) -> Markup:
        """The blocks of a step one after the other."""
        return Markup("").join(self.block(block, step) for block in step.blocks)

    def block(self, block: Block, step: Step) -> Markup:
        """One block; should its form fail, the reader still gets its texts."""
        try:
            return self._form(MACROS[type(block)], block, step)
        except Exception:
            logger.exception("a block could not be rendered: %s", type(block).__name__)
            return self._form("broken", block, step)

    def is_readable_markdown(self, text: str) -> bool:
        return len(text) <= MAX_CHARACTERS

    def markdown(self, text: str) -> Markup:
        return markdown(text, self.budget)

    def excerpts(self, block: Block) -> list[Excerpt]:
        """The beginnings of all texts of a block, highlighted where their language is known."""
        found = texts(block)
        path = found.get("input.filePath") or found.get("input.path") or ""
        return [self._excerpt(block, name, text, _language(name, text, path)) for name, text in found.items()]

    def relative(self, path: str) -> str:
        """A path as seen from the session's folder."""
        return path.removeprefix(self.directory.rstrip("/") + "/") if self.directory else path

    def _excerpt(self, block: Block, name: str, text: str, language: str | None) -> Excerpt:
        shown = "\n".join(text[:MAX_SHOWN_CHARACTERS].split("\n", MAX_SHOWN_LINES)[:MAX_SHOWN_LINES])
        return Excerpt(
            name=name.removeprefix("input."),
            lines=highlight(shown, language, self.budget),
            hidden_lines=text.count("\n", len(shown)),
            hidden_characters=len(text) - len(shown),
            full_url=self.links.full(block.id, name),
        )

    def _form(self, macro: str, block: Block, step: Step) -> Markup:
        return cast(Markup, getattr(_macros(), macro)(block, step, self))


@cache
def _macros() -> TemplateModule:
    environment = Environment(
        loader=PackageLoader("app"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(labels.FILTERS)
    environment.filters["as_file"] = files.describe
    return environment.get_template("blocks.html").module


# What the inputs of OpenCode's tools hold; contents of files are known by the file's name.
INPUT_LANGUAGES = {"input.command": "bash", "input.patchText": "diff"}
FILE_CONTENTS = ("input.content", "input.oldString", "input.newString")


def _language(name: str, text: str, path: str) -> str | None:
    if name in FILE_CONTENTS:
        return language_of_file(path)
    if name == "json" or (name.startswith("input") and text.startswith(("{", "["))):
        return "json"
    return INPUT_LANGUAGES.get(name)
