"""Skips what cannot be a secret that only its name gives away: short words, and words in small letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# The characters that are looked through at once.
MAX_SKIPPED = 10_000

# A secret stands between blanks or quotes, has eight characters or more, and among them letters of both
# cases, a digit or a sign; it does not end in a bracket or a point.
_SKIPPED = re.compile(
    r"""(?:(?:[a-z_./-]{0,127}+|[A-Z_./-]{0,127}+)(?:["'`]|[<>;,(){}\[\]\\:?|]{0,15}+\.?[ \t\n\r])"""
    r"""|[^ \t\n\r"'`]{0,7}+[ \t\n\r]|[^ \t\n\r"'`=]{0,7}+["'`]|[a-z][a-z_-]{0,126}+=\\{0,3}["'`])*+"""
)


def next_value(text: str, start: int) -> int:
    """Return where the next word that may be a secret begins, or may begin at the earliest."""
    skipped = _SKIPPED.match(text, start, start + MAX_SKIPPED)
    return skipped.end() if skipped else start


def before_values(text: str, offsets: Iterable[int], reach: int) -> Iterator[int]:
    """Yield the offsets, given in order, with at most `reach` characters up to the next value."""
    value = -1
    for offset in offsets:
        if value < offset:
            value = next_value(text, offset)
        if value <= offset + reach:
            yield offset
