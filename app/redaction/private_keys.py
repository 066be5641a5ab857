"""Finds private keys in PEM (RFC 7468), also in listings, logs and strings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.redaction.finding import Finding

KIND = "private-key"
BEGIN, END = "-----begin", "-----end"
# The characters between two lines of a key.
MAX_BETWEEN = 200
# The length from which base64 is a line of a key, and from which the key may end there without an end mark.
MIN_LINE = 16
MIN_FULL_LINE = 40
# The part of a key that is searched when only its end is known.
MAX_TAIL = 8_000

_BEGIN = re.compile(r"-----BEGIN[A-Z0-9 ]{0,30} PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END[A-Z0-9 ]{0,30} PRIVATE KEY(?: BLOCK)?-----")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]+")
_OTHER = re.compile(r"[^A-Za-z0-9+/=-]+|-")
_LINE_BREAK = re.compile(r"\r?\n|\\+n")
_LAST = re.compile(r"([A-Za-z0-9+/=]+)[^A-Za-z0-9+/=]{0,8}$")


def find_private_keys(text: str, begins: Iterable[int], ends: Iterable[int]) -> Iterator[Finding]:
    """Find the keys that begin or end at one of the given offsets of `BEGIN` and `END`."""
    position = 0
    for begin in begins:
        head = _BEGIN.match(text, begin) if begin >= position else None
        end = _end_of_key(text, head.end()) if head else None
        if end:
            yield Finding(begin, end, KIND)
            position = end
    position = 0
    for end in ends:
        mark = _END.match(text, end)
        if mark:
            start = _start_of_tail(text, max(position, end - MAX_TAIL), end)
            if start < end:
                yield Finding(start, mark.end(), KIND)
            position = mark.end()


def _end_of_key(text: str, start: int) -> int | None:
    position = last = start
    full = None
    while position < len(text) and position - last <= MAX_BETWEEN:
        run = _BASE64.match(text, position)
        if run:
            position = run.end()
            length = position - run.start()
            if length >= MIN_LINE:
                last = position
            if length >= MIN_FULL_LINE:
                full = position
            continue
        mark = _END.match(text, position)
        if mark:
            return mark.end() if full else None
        if text.startswith("-----BEGIN", position):
            return full
        other = _OTHER.match(text, position)
        position = other.end() if other else position + 1
    return full


def _start_of_tail(text: str, start: int, end: int) -> int:
    """Where the lines of base64 above an end mark begin; `end` if there are none."""
    lines = _LINE_BREAK.split(text[start:end])
    breaks = [match.end() for match in _LINE_BREAK.finditer(text, start, end)]
    starts = [start, *breaks]
    # The last of them holds what stands before the mark.
    result = end
    for index in range(len(lines) - 2, -1, -1):
        last = _LAST.search(lines[index])
        if not last or len(last[1]) < MIN_LINE:
            break
        if len(last[1]) >= MIN_FULL_LINE or result < end:
            result = starts[index] + last.start(1)
        elif index < len(lines) - 3:
            break
    return result
