"""Folding, so that neither case nor accents matter, and the way back to the characters of the text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

# What is folded at once on the way back to a place in the text.
CHUNK_CHARACTERS = 4096
# Characters of lower classes make other letters, such as the voiced ones of Japanese.
MIN_ACCENT_CLASS = 10
# So many replacements take as long as a translation of every character.
MAX_REPLACEMENTS = 32

ASCII = bytes(range(128))
WHITE = "\t\n\v\f\r"


def fold(text: str) -> str:
    """The text in lower case, without accents, and with a space for each white character.

    Its characters fold one by one, each to none or several, so the form of a text is that of its pieces.
    """
    text = text.lower()
    if not text.isascii():
        found = not_ascii(text.encode(errors="replace"))
        changed = {each: form for each in found if (form := fold_character(each)) != each}
        if len(changed) > MAX_REPLACEMENTS:
            text = text.translate({ord(each): form for each, form in changed.items()})
        else:
            for each, form in changed.items():
                text = text.replace(each, form)
    for each in WHITE:
        text = text.replace(each, " ")
    return text


@lru_cache(maxsize=16 * 1024)
def fold_character(character: str) -> str:
    """The folded form of one character; empty if that is an accent."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(each for each in letters if unicodedata.combining(each) < MIN_ACCENT_CLASS)


def not_ascii(text: bytes) -> set[str]:
    """The characters of a text in UTF-8 that are not of ASCII."""
    return set(text.translate(None, delete=ASCII).decode(errors="ignore"))


def find_first(text: str, terms: Iterable[str]) -> int:
    """The place in `text` at which the first of the folded terms begins that it has; 0 if it has none."""
    folded = fold(text)
    places = [place for term in terms if (place := folded.find(term)) >= 0]
    return _origin(text, min(places)) if places else 0


def find_all(text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
    """The ranges of a short `text` that are any of the folded terms, in order and apart from each other."""
    folded = fold(text)
    origins = [place for place, character in enumerate(text) for _ in fold(character)]
    ranges = sorted(
        (origins[start], _end(text, origins[start + len(term) - 1]))
        for term in terms
        for start in _places(folded, term)
    )
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _origin(text: str, place: int) -> int:
    """The place of the character in `text` from which that at `place` of its folded form comes."""
    if text.isascii():
        return place
    start = 0
    while start < len(text):
        length = len(fold(text[start : start + CHUNK_CHARACTERS]))
        if place < length:
            break
        place -= length
        start += CHUNK_CHARACTERS
    for origin, character in enumerate(text[start : start + CHUNK_CHARACTERS], start):
        place -= len(fold(character))
        if place < 0:
            return origin
    return len(text)


def _end(text: str, last: int) -> int:
    """The end of the character at `last` with its accents."""
    end = last + 1
    while end < len(text) and not fold(text[end]):
        end += 1
    return end


def _places(folded: str, term: str) -> Iterator[int]:
    place = folded.find(term)
    while place >= 0:
        yield place
        place = folded.find(term, place + len(term))
