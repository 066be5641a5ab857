"""Finds the words that differ between two versions of a line, and marks them in its HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup
from rapidfuzz.distance import LCSseq

# Longer lines are seldom read word by word.
MAX_LINE_CHARACTERS = 500
# Lines that share less would be marked nearly completely.
MIN_SHARED = 0.4

WORD = re.compile(r"\w+|\s+|[^\w\s]")
# The HTML of a highlighted line consists of flat spans, characters and character references.
PIECE = re.compile(r"(?P<tag><[^>]*>)|&[^;]*;|.", re.DOTALL)

Range = tuple[int, int]


def changed_words(old: str, new: str) -> tuple[list[Range], list[Range]]:
    """The ranges of characters in which two lines differ; none if they share too little."""
    if max(len(old), len(new)) > MAX_LINE_CHARACTERS:
        return [], []
    a, b = WORD.findall(old), WORD.findall(new)
    changes = [change for change in LCSseq.opcodes(a, b) if change.tag != "equal"]
    olds = _ranges(a, [(change.src_start, change.src_end) for change in changes])
    news = _ranges(b, [(change.dest_start, change.dest_end) for change in changes])
    return (olds, news) if _are_alike(old, olds, new, news) else ([], [])


def mark(html: Markup, ranges: Sequence[Range]) -> Markup:
    """A highlighted line with `<mark>` around these ranges; marks are inside spans and never cross them."""
    if not ranges:
        return html
    marked = {place for start, end in ranges for place in range(start, end)}
    pieces: list[str] = []
    place, is_open = 0, False
    for piece in PIECE.finditer(html):
        wants_mark = piece["tag"] is None and place in marked
        if wants_mark != is_open:
            pieces.append("<mark>" if wants_mark else "</mark>")
            is_open = wants_mark
        pieces.append(piece.group())
        place += piece["tag"] is None
    # Whole tags, whole characters and our own marks were joined.
    return Markup("".join([*pieces, "</mark>" if is_open else ""]))  # noqa: S704


def _ranges(words: Sequence[str], changes: Sequence[Range]) -> list[Range]:
    """Ranges of words as ranges of characters; ranges separated by whitespace only become one."""
    places = [0]
    for word in words:
        places.append(places[-1] + len(word))
    ranges: list[Range] = []
    last = 0
    for first, end in changes:
        if first == end:
            continue
        if ranges and "".join(words[last:first]).isspace():
            ranges[-1] = (ranges[-1][0], places[end])
        else:
            ranges.append((places[first], places[end]))
        last = end
    return ranges


def _are_alike(old: str, olds: Sequence[Range], new: str, news: Sequence[Range]) -> bool:
    """Whether enough of both lines, whitespace aside, is outside the changed ranges."""
    total = _letters(old) + _letters(new)
    changed = sum(_letters(old[a:b]) for a, b in olds) + sum(_letters(new[a:b]) for a, b in news)
    return total > 0 and (total - changed) / total >= MIN_SHARED


def _letters(text: str) -> int:
    return sum(not character.isspace() for character in text)
