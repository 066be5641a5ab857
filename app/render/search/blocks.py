"""Whether a block matches a query, in the texts that a reader sees of it, and what is shown of it then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from app.opencode.model import Block, Failure, File, Notice, Reasoning, Step, Text, Tool, Unknown
from app.opencode.paths import relative_path
from app.render.activity import has_failed
from app.render.filters import short, visible
from app.render.search.folding import find_all, find_first, fold
from app.render.search.query import Query
from app.render.text.block_texts import fields_of, texts
from app.render.text.redaction_marks import with_chips
from app.render.tools.registry import view_of
from app.render.tools.subjects import plain_name
from app.render.tools.view import DiffsSection
from app.render.transcript.text import without_control_characters

EXCERPT_CHARACTERS = 240
# How much of an excerpt is before the first word that was found.
LEAD_CHARACTERS = 60
MAX_SUBJECT_CHARACTERS = 80

# The fields of a call's input that name a file, as `plain_name` spells them.
FILE_FIELDS = ("filepath", "file", "path", "filename", "notebookpath")
AUTHORS = {"user": "Prompt", "assistant": "Answer", "opencode": "Note"}


@dataclass(frozen=True)
class Match:
    """What a result says of a block: what kind it is, what a call is about, and an excerpt of its text."""

    kind: str
    subject: str
    excerpt: Markup


def match_block(block: Block, step: Step, query: Query, directory: str) -> Match | None:
    """The match of a block, whose paths are shown relative to `directory`; None if it has none."""
    if query.tools and not _is_call_of(block, query.tools):
        return None
    if query.files and not _is_about(block, query.files):
        return None
    if query.is_error and not (isinstance(block, Tool) and has_failed(block)):
        return None
    text = _matching_text(_visible_texts(block), query.terms) if query.terms else _telling_text(block, query)
    if text is None:
        return None
    subject = relative_path(view_of(block).subject, directory) if isinstance(block, Tool) else ""
    return Match(_kind(block, step), short(subject, MAX_SUBJECT_CHARACTERS), _excerpt(text, query))


def match_failure(failure: Failure, query: Query) -> Match | None:
    """The match of what ended an answer early."""
    if query.tools or query.files:
        return None
    text = f"{failure.label}: {failure.detail}" if failure.detail else failure.label
    if query.terms and not _matching_text([text], query.terms):
        return None
    return Match("Error", "", _excerpt(text, query))


def _matching_text(found: Iterable[str], terms: Sequence[str]) -> str | None:
    """The first text with any of the terms, if all of them are in the texts."""
    missing, matching = set(terms), None
    for text in found:
        folded = fold(text)
        present = {term for term in terms if term in folded}
        if present and matching is None:
            matching = text
        missing -= present
        if not missing:
            return matching
    return None


def _telling_text(block: Block, query: Query) -> str:
    """What is shown of a block that was not found by its text: what it begins with, or why it failed."""
    named = [text for text in texts(block).values() if text.strip()] or list(_labels(block))
    return _plain(named[-1 if query.is_error else 0]) if named else ""


def _visible_texts(block: Block) -> Iterator[str]:
    """The texts of a block without what only a terminal reads, those first that cost least."""
    named = [*_labels(block), *texts(block).values()]
    yield from map(_plain, named)
    if isinstance(block, Tool):
        view = view_of(block)
        yield _plain(" ".join((view.action, view.subject, view.where, *view.facts)))
        shown = (getattr(section, "text", "") for section in view.sections)
        yield from (_plain(text) for text in shown if text and text not in named)


def _labels(block: Block) -> Iterator[str]:
    if isinstance(block, File | Notice | Unknown):
        yield block.label


def _plain(text: str) -> str:
    return without_control_characters(text) if "\x1b" in text else text


def _is_call_of(block: Block, tools: tuple[str, ...]) -> bool:
    """Whether a block is a call of one of the tools, which are named by the beginning of their names."""
    if not isinstance(block, Tool):
        return False
    name = fold(block.name)
    return name.startswith(tools) or name.removeprefix("opencode_").startswith(tools)


def _is_about(block: Block, files: tuple[str, ...]) -> bool:
    paths = [fold(path).replace("\\", "/") for path in _paths(block)]
    return all(any(file in path for path in paths) for file in files)


def _paths(block: Block) -> Iterator[str]:
    """The files that a block is about."""
    if isinstance(block, File):
        yield block.label
    elif isinstance(block, Notice) and block.kind == "patch":
        yield from block.detail.split("\n")
    elif isinstance(block, Tool):
        yield from (text for name, text in fields_of(block.input).items() if plain_name(name) in FILE_FIELDS)
        for section in view_of(block).sections:
            if isinstance(section, DiffsSection):
                yield from (path for file in section.files for path in (file.path, file.old_path) if path)


def _kind(block: Block, step: Step) -> str:
    if isinstance(block, Tool):
        return short(view_of(block).action, MAX_SUBJECT_CHARACTERS)
    if isinstance(block, Text):
        return "Added by OpenCode" if block.synthetic else AUTHORS.get(step.role, "Message")
    return {Reasoning: "Thinking", File: "File", Notice: "Note"}.get(type(block), "Block")


def _excerpt(text: str, query: Query) -> Markup:
    """The text around the first term, with every term in it marked."""
    start = max(0, find_first(text, query.terms) - LEAD_CHARACTERS) if query.terms else 0
    if not query.terms and query.is_error:
        start = max(0, len(text.rstrip()) - EXCERPT_CHARACTERS)
    piece = text[start : start + EXCERPT_CHARACTERS]
    html = Markup("… ") if start else Markup()
    end = 0
    for first, last in find_all(piece, query.terms):
        html += escape(visible(piece[end:first])) + Markup("<mark>{}</mark>").format(
            visible(piece[first:last])
        )
        end = last
    html += escape(visible(piece[end:]))
    return with_chips(html + Markup(" …") if start + len(piece) < len(text) else html)
