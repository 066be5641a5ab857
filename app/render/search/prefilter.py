"""Tells from the JSON of a message or part, without decoding it, whether a query may match it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.render.search.folding import fold, fold_character, not_ascii
from app.render.search.query import MAX_QUERY_CHARACTERS, Query

WINDOW_BYTES = 1024 * 1024
# No character of a query, escaped or not, takes more bytes.
OVERLAP_BYTES = 8 * MAX_QUERY_CHARACTERS

# What JSON may write in more than one way ends a run of characters that are the same in it.
_ESCAPED = re.compile(r'[\s"\\/\x00-\x1f]+')
_COLOURS = re.compile(rb"\\u001b\[[0-9;]*m", re.IGNORECASE)
# Escapes of control characters are not part of any word.
_CONTROL = re.compile(rb"\\u00[01]")
_ERROR = re.compile(rb'"error"|"timeout"|"killed"|"exit"\s*:\s*-?[1-9]')


class Prefilter:
    """Says in time linear in the bytes whether a query may match; it may be wrong only if it says so."""

    def __init__(self, query: Query) -> None:
        # Of several tools any will do.
        values = (*query.terms, *query.files, *(query.tools if len(query.tools) == 1 else ()))
        self._runs = frozenset(run for value in values if (run := _longest_run(value)))
        self._is_error = query.is_error

    def may_match(self, json: memoryview) -> bool:
        """Whether `json` may have all of the query."""
        runs = set(self._runs)
        is_error = not self._is_error
        for window in _windows(json):
            is_error = is_error or _ERROR.search(window) is not None
            runs -= _found(window, runs) if runs else runs
            if is_error and not runs:
                return True
        return False


def _found(window: bytes, runs: set[str]) -> set[str]:
    """Which of the runs may be in a piece of JSON."""
    if b"\\u" in window:
        window = _COLOURS.sub(b"", window)
        if window.count(b"\\u") > len(_CONTROL.findall(window)):
            return runs
    if window.isascii():
        lower = window.lower()
        return {run for run in runs if run.isascii() and run.encode() in lower}
    # Text is folded, which takes longer, only if one of its characters may become part of a run.
    letters = set().union(*runs)
    forms = [fold_character(character) for character in not_ascii(window)]
    if all(form and letters.isdisjoint(form) for form in forms):
        lower = window.lower()
        return {run for run in runs if run.isascii() and run.encode() in lower}
    folded = fold(window.decode(errors="ignore"))
    return {run for run in runs if run in folded}


def _windows(json: memoryview) -> Iterator[bytes]:
    """Pieces of WINDOW_BYTES that overlap, so that a long message is not copied as a whole."""
    yield bytes(json[:WINDOW_BYTES])
    for start in range(WINDOW_BYTES, len(json), WINDOW_BYTES):
        yield bytes(json[start - OVERLAP_BYTES : start + WINDOW_BYTES])


def _longest_run(value: str) -> str:
    return max(_ESCAPED.split(value), key=len)
