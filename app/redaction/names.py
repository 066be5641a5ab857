"""Finds the values of variables, fields and options whose names promise a secret."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from functools import lru_cache

from app.redaction.finding import Finding, end_of_value
from app.redaction.heuristics import passes
from app.redaction.rules import EXCLUDED_NAME, ROLES, WEAK_NAME, Role, compiled

MAX_NAME = 80
# A value is at least so many characters without a blank or a quote, and begins so near to its name.
MIN_VALUE = 8
MAX_AHEAD = 1_000
MAX_SEARCHED = 10_000
MIN_WORD_BEFORE, MAX_WORD_BEFORE = 2, 12
# A value of this length that is no secret is not searched for names in its first half.
MAX_VALUE_SEARCHED = 128

_CHARACTERS = string.ascii_letters + string.digits + "_-"
_BUMP = re.compile(r"([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[-. ]")
_VALUE = re.compile(rf"[^ \t\n\r\"'`]{{{MIN_VALUE}}}")
_KEYS = frozenset({"key", "keys"})
_UPPER = re.compile(r"[A-Z0-9_]+")

# The rest of a name, and what begins any of the ways in which its value follows: most names are followed
# by something else.
_REST = compiled(
    r"([A-Za-z0-9_]{0,60}(?:-[A-Za-z0-9_]{1,60}){0,8})"
    r"([^A-Za-z0-9_ \t.;){}]|[ \t]{1,8}(?:[^A-Za-z0-9_ \t.;{}]|or[ \t]|string|\.=)|[ \t]{2}"
    r"|\.=|\)[ \t]{0,4}(?:\||\?|or))?"
)
# How a value follows its name, in the order in which they are tried, and the check that replaces
# that of the name.
_OTHER = (
    compiled(
        r"\(<quote>(<literal>)"
        r"|(?:[ \t]{2,40}|[ \t]{0,40}\|[ \t]{0,40})(<run>)(?=[ \t\r\n|]|$)"
        r"|,(<run>)(?=[ \t\r\n,]|$)"
    ),
    "scrambled",
)
_CHOSEN = [(compiled("(?:<worth>|<nested>)?<entered>"), None), _OTHER]
_MADE = [(compiled("(?:<worth>|<nested>)?<assigned>"), None), _OTHER]
_OPTION: list[tuple[re.Pattern[str], str | None]] = [(compiled("[ \\t=]{1,3}<argument>"), None)]
_WEAK = [(compiled("=\\\\{0,2}[\"'`]?<shell>"), "weak")]


@lru_cache(maxsize=4096)
def role_of(name: str) -> Role | None:
    """Return what a name promises; None if it is not the name of a secret."""
    snake = _SEPARATOR.sub("_", _BUMP.sub(r"\g<0>_", name)).lower()
    if EXCLUDED_NAME.search(snake):
        return None
    return next((role for role in ROLES if role.pattern.search(snake)), None)


def find_named(text: str, anchors: Iterable[int]) -> Iterator[Finding]:
    """Find the values of secret names around `anchors`, in order."""
    position = value = 0
    for anchor in anchors:
        if anchor < position:
            continue
        if value <= anchor:
            value = _next_value(text, anchor + 1)
        if value > anchor + MAX_AHEAD:
            continue
        before = text[max(position, anchor - MAX_NAME) : anchor]
        start = anchor - len(before) + len(before.rstrip(_CHARACTERS))
        rest = _REST.match(text, anchor)
        if rest is None:
            continue
        position = end = rest.end(1)
        if rest.lastindex == 1 and not text.startswith("--", start):
            continue
        name = _with_word_before(text, start, text[start:end])
        role = role_of(name) if len(name) <= MAX_NAME else None
        if role is None or _is_other_text(text, start, end):
            continue
        finding, position = _value(text, end, name, role)
        if finding:
            yield finding


def _next_value(text: str, start: int) -> int:
    """Where the next characters that may be a value begin, or may begin at the earliest."""
    found = _VALUE.search(text, start, start + MAX_SEARCHED)
    return found.start() if found else start + MAX_SEARCHED - MIN_VALUE + 1


def _with_word_before(text: str, start: int, name: str) -> str:
    """The name after the word ahead of a key, which says what it is for: `API_key` for `API key: ...`."""
    if name.lower() not in _KEYS:
        return name
    before = text[max(0, start - MAX_WORD_BEFORE - 2) : start]
    if not before.endswith(" "):
        return name
    word = before[len(before[:-1].rstrip(string.ascii_letters)) : -1]
    return f"{word[-MAX_WORD_BEFORE:]}_{name}" if len(word) >= MIN_WORD_BEFORE else name


def _is_other_text(text: str, start: int, end: int) -> bool:
    """Return whether the name belongs to a public key, a resource name or the output of tests."""
    before = text[start - 1 : start]
    if before == ":":
        return text.startswith(":", end)
    if before == " " and text[max(0, start - 7) : start].lower() == "public ":
        return True
    return end - start == len("PASS") and text.startswith("PASS", start) and not text.startswith("=", end)


def _value(text: str, end: int, name: str, role: Role) -> tuple[Finding | None, int]:
    """The value of a name that ends at `end`, and the offset from which names are searched on."""
    position = end
    for pattern, check in _ways(text, end, name, role):
        match = pattern.match(text, end)
        if not match:
            continue
        group = match.lastindex or 0
        start, stop = match.span(group)
        if passes(check or role.check, text[start:stop]):
            stop = end_of_value(text, start, stop)
            return Finding(start, stop, role.kind), stop
        if stop - start > MAX_VALUE_SEARCHED:
            position = max(position, start + (stop - start) // 2)
    return None, position


def _ways(text: str, end: int, name: str, role: Role) -> list[tuple[re.Pattern[str], str | None]]:
    if name.startswith("--"):
        return _OPTION
    ways = _CHOSEN if role.check == "password" else _MADE
    if not text.startswith("=", end) or not _UPPER.fullmatch(name) or not WEAK_NAME.search(name.lower()):
        return ways
    return [*_WEAK, *ways]
