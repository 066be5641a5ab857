"""Searches a text for many literals at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ahocorasick_rs import AhoCorasick, MatchKind

_SURROGATE = re.compile("[\ud800-\udfff]")


class Literals:
    """An automaton for `literals`, which must not be empty strings; its work is linear in the text."""

    def __init__(self, literals: Iterable[str]) -> None:
        self._literals = list(dict.fromkeys(literals))
        self._automaton = AhoCorasick(self._literals, matchkind=MatchKind.Standard, store_patterns=False)

    def occurrences(self, text: str) -> Iterator[tuple[str, int]]:
        """Yield each occurrence, also overlapping ones, as the literal and its offset."""
        # The automaton reads UTF-8, which has no half of a surrogate pair.
        encodable = _SURROGATE.sub("\ufffd", text) if not text.isascii() else text
        for index, start, _ in self._automaton.find_matches_as_indexes(encodable, overlapping=True):
            yield self._literals[index], start

    def offsets(self, text: str) -> dict[str, list[int]]:
        """Return the offsets of each literal that occurs, in order."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for literal, start in self.occurrences(text):
            found[literal].append(start)
        return found
