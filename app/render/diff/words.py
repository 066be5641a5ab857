"""Finds the words that differ between two versions of a line, and marks them in its HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from markupsafe import Markup

# difflib takes up to the cube of the words between the common beginning and end of two lines.
MAX_LINE_CHARACTERS = 500
MAX_WORDS = 80
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
    start = _shared(a, b)
    end = _shared(a[start:][::-1], b[start:][::-1])
    if max(len(a), len(b)) - start - end > MAX_WORDS:
        return [], []
    middle = SequenceMatcher(None, a[start : len(a) - end], b[start : len(b) - end], autojunk=False)
    changes = [
        (start + a1, start + a2, start + b1, start + b2)
        for tag, a1, a2, b1, b2 in middle.get_opcodes()
        if tag != "equal"
    ]
    olds = _ranges(a, [(a1, a2) for a1, a2, _, _ in changes])
    news = _ranges(b, [(b1, b2) for _, _, b1, b2 in changes])
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


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


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
