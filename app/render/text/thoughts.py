"""Finds the reasoning that some models write into the text of their answer, in `<think>` tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Later ones in one text stay text: each is looked for in all that comes before it.
MAX_THOUGHTS = 50

_NAMES = "think|thinking|reasoning"
# In a sentence or in code, these are the words that somebody writes about.
_OPENING = re.compile(rf"^ {{0,3}}<({_NAMES})>(?!`)", re.IGNORECASE | re.MULTILINE)
_CLOSING = re.compile(rf"(?<!`)</({_NAMES})>(?!`)", re.IGNORECASE)
_CLOSING_ON_ITS_OWN = re.compile(
    rf"^[ \t]*</({_NAMES})>(?!`)|(?<=[^\s`])</({_NAMES})>[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


class Passage(NamedTuple):
    """A part of an answer's text, which may be a thought."""

    text: str
    is_thought: bool = False


def passages(text: str) -> list[Passage]:
    """The text of an answer, cut into its thoughts and what was said.

    A thought begins with a tag at the beginning of a line and ends with its closing tag. At the beginning of
    the text, the opening tag may be missing (some servers remove it), or the closing one.
    """
    if not _CLOSING.search(text) and not _OPENING.match(text.lstrip()):
        return [Passage(text)]
    found = (Passage(passage.text.strip("\n"), passage.is_thought) for passage in _passages(text))
    return [passage for passage in found if passage.text.strip()]


def _passages(text: str) -> Iterator[Passage]:
    start = 0
    unopened = _closing_without_opening(text)
    if unopened:
        yield Passage(text[: unopened.start()], is_thought=True)
        start = unopened.end()
    for _ in range(MAX_THOUGHTS):
        opening = _opening(text, start)
        if opening is None:
            break
        closing = _CLOSING.search(text, opening.end())
        if closing is None and text[: opening.start()].strip():
            break
        yield Passage(text[start : opening.start()])
        yield Passage(text[opening.end() : closing.start() if closing else len(text)], is_thought=True)
        start = closing.end() if closing else len(text)
    yield Passage(text[start:])


def _closing_without_opening(text: str) -> re.Match[str] | None:
    """The closing tag of a thought that the text begins with, without an opening tag."""
    opening = _opening(text, 0)
    end = opening.start() if opening else len(text)
    closing = _CLOSING_ON_ITS_OWN.search(text, 0, end)
    return closing if closing and not _is_in_fence(text, 0, closing.start()) else None


def _opening(text: str, start: int) -> re.Match[str] | None:
    for number, opening in enumerate(_OPENING.finditer(text, start)):
        if number == MAX_THOUGHTS:
            return None
        if not _is_in_fence(text, start, opening.start()):
            return opening
    return None


def _is_in_fence(text: str, start: int, position: int) -> bool:
    return sum(1 for _ in _FENCE.finditer(text, start, position)) % 2 == 1
