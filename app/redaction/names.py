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
# A value of this length that is no secret is not searched for names in its first half.
MAX_VALUE_SEARCHED = 128

_CHARACTERS = string.ascii_letters + string.digits + "_-"
_REST = re.compile(r"[A-Za-z0-9_]{0,60}(?:-[A-Za-z0-9_]{1,60}){0,8}", re.ASCII)
_BUMP = re.compile(r"([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[-. ]")
_KEY = re.compile("keys?", re.IGNORECASE)
_WORD_BEFORE = re.compile("([A-Za-z]{2,12})[ ]$")
_UPPER = re.compile(r"[A-Z0-9_]+")

# How a value follows its name, in the order in which they are tried, and the check that replaces
# that of the name.
# What begins any of these ways: most names are followed by something else.
_FOLLOWED = compiled(
    r"[^A-Za-z0-9_ \t.;){}]|[ \t]{1,8}(?:[^A-Za-z0-9_ \t.;{}]|or[ \t]|string|\.=)|[ \t]{2}"
    r"|\.=|\)[ \t]{0,4}(?:\||\?|or)"
)
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
    position = 0
    for anchor in anchors:
        if anchor < position:
            continue
        before = text[max(position, anchor - MAX_NAME) : anchor]
        start = anchor - len(before) + len(before.rstrip(_CHARACTERS))
        rest = _REST.match(text, anchor)
        position = end = rest.end() if rest else anchor
        if not _FOLLOWED.match(text, end) and not text.startswith("--", start):
            continue
        name = text[start:end]
        if _KEY.fullmatch(name) and text.startswith(" ", start - 1):
            name = f"{_word_before(text, start)}{name}"
        role = role_of(name) if len(name) <= MAX_NAME else None
        if role is None or _is_other_text(text, start, end):
            continue
        finding, position = _value(text, end, name, role)
        if finding:
            yield finding


def _word_before(text: str, start: int) -> str:
    """The word ahead of a name, which says what a key is for: `api_` for the key of `API key: ...`."""
    word = _WORD_BEFORE.search(text, max(0, start - 14), start)
    return f"{word[1]}_" if word else ""


def _is_other_text(text: str, start: int, end: int) -> bool:
    """Return whether the name belongs to a public key, a resource name or the output of tests."""
    before = text[max(0, start - 7) : start].lower()
    return (
        before == "public "
        or (before.endswith(":") and text.startswith(":", end))
        or (text[start:end] == "PASS" and not text.startswith("=", end))
    )


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
    is_variable = text.startswith("=", end) and _UPPER.fullmatch(name) and WEAK_NAME.search(name.lower())
    return [*_WEAK, *ways] if is_variable else ways
