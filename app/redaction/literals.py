"""Searches a text for many literals at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ahocorasick_rs import AhoCorasick, MatchKind

_PRIVATE = 0x100000
_SURROGATE = re.compile("[\ud800-\udfff]")


class Literals:
    """An automaton for `literals`, which must not be empty strings; its work is linear in the text."""

    def __init__(self, literals: Iterable[str]) -> None:
        self._literals = list(dict.fromkeys(literals))
        encodable = map(_encodable, self._literals)
        self._automaton = AhoCorasick(encodable, matchkind=MatchKind.Standard, store_patterns=False)

    def occurrences(self, text: str) -> Iterator[tuple[str, int]]:
        """Yield each occurrence, also overlapping ones, as the literal and its offset."""
        for index, start, _ in self._automaton.find_matches_as_indexes(_encodable(text), overlapping=True):
            yield self._literals[index], start

    def offsets(self, text: str) -> dict[str, list[int]]:
        """Return the offsets of each literal that occurs, in order."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for index, start, _ in self._automaton.find_matches_as_indexes(_encodable(text), overlapping=True):
            found[index].append(start)
        return {self._literals[index]: starts for index, starts in found.items()}


def _encodable(text: str) -> str:
    """The text with a private character for each half of a surrogate pair, which UTF-8 does not have."""
    return text if text.isascii() else _SURROGATE.sub(lambda half: chr(_PRIVATE + ord(half[0])), text)
