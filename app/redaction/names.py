"""Finds the values of variables, fields and options whose names promise a secret."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from app.redaction.finding import Finding, end_of_value
from app.redaction.heuristics import passes
from app.redaction.rules import EXCLUDED_NAME, ROLES, WEAK_NAME, Role, compiled
from app.redaction.values import next_value

MAX_NAME = 80
# The characters between a name and its value.
MAX_JOINT = 500
MIN_WORD_BEFORE, MAX_WORD_BEFORE = 2, 12
# A value of this length that is no secret is not searched for names in its first half.
MAX_VALUE_SEARCHED = 128

_CHARACTERS = string.ascii_letters + string.digits + "_-"
_BUMP = re.compile(r"([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])")
_SEPARATOR = re.compile(r"[-. ]")
_KEYS = frozenset({"key", "keys"})
_UPPER = re.compile(r"[A-Z0-9_]+")

# The rest of a name, ahead of what begins any of the ways in which a value follows, or of the blank before
# the argument of an option: most names are followed by something else. A longer word is no name.
_REST = compiled(
    r"((?>[A-Za-z0-9_]{0,60}(?:-[A-Za-z0-9_]{1,60}){0,8}))"
    r"(?:(?=<followed>|(?<![a-z])=)|(?=([ \t]))|(?=([A-Za-z0-9_])))"
)
_REST_OF_WORD = re.compile(r"[A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*")


class _Way(NamedTuple):
    """How a value follows its name; `begins` are the characters that do, or empty for any."""

    pattern: re.Pattern[str]
    check: str
    begins: str = ""


class _Promise(NamedTuple):
    """What a name promises, and the ways in which its value follows, also behind `=`, as they are tried."""

    kind: str
    ways: Sequence[_Way]
    assigned: Sequence[_Way]


_OTHER = _Way(
    compiled(
        r"\(<quote>(<literal>)"
        r"|(?:[ \t]{2,40}|[ \t]{0,40}\|[ \t]{0,40})(<run>)(?=[ \t\r\n|]|$)"
        r"|,(<run>)(?=[ \t\r\n,]|$)"
    ),
    "scrambled",
    "( \t|,",
)
_CHOSEN = compiled("(?:<worth>|<nested>)?<entered>")
_MADE = compiled("(?:<worth>|<nested>)?<assigned>")
_OPTION = compiled("[ \\t=]{1,3}<argument>")
_WEAK = _Way(compiled("=\\\\{0,2}[\"'`]?<shell>"), "weak")


@lru_cache(maxsize=4096)
def role_of(name: str) -> Role | None:
    """Return what a name promises; None if it is not the name of a secret."""
    snake = _SEPARATOR.sub("_", _BUMP.sub(r"\g<0>_", name)).lower()
    if EXCLUDED_NAME.search(snake):
        return None
    return next((role for role in ROLES if role.pattern.search(snake)), None)


def find_named(text: str, anchors: Iterable[int]) -> Iterator[Finding]:
    """Find the values of secret names around `anchors`, in order."""
    position = value = no_name_until = 0
    for anchor in anchors:
        if anchor < position or anchor < no_name_until or value > anchor + MAX_NAME + MAX_JOINT:
            continue
        rest = _REST.match(text, anchor)
        if rest is None:
            continue
        end = rest.end(1)
        if rest.lastindex == 3:
            word = _REST_OF_WORD.match(text, end)
            if word and word.end() - anchor > MAX_NAME:
                no_name_until = word.end()
            continue
        if value < end:
            value = next_value(text, end - 1)
        if value > end + MAX_JOINT:
            continue
        before = text[max(position, anchor - MAX_NAME) : anchor]
        start = anchor - len(before) + len(before.rstrip(_CHARACTERS))
        position = end
        if rest.lastindex == 2 and not text.startswith("--", start):
            continue
        name = text[start:end]
        if name.lower() in _KEYS:
            name = _with_word_before(text, start, name)
        promise = _promise_of(name)
        if promise is None or _is_other_text(text, start, end):
            continue
        finding, position = _value(text, end, promise)
        if finding:
            yield finding


@lru_cache(maxsize=4096)
def _promise_of(name: str) -> _Promise | None:
    role = role_of(name) if len(name) <= MAX_NAME else None
    if role is None:
        return None
    if name.startswith("--"):
        ways = [_Way(_OPTION, role.check)]
        return _Promise(role.kind, ways, ways)
    ways = [_Way(_CHOSEN if role.check == "password" else _MADE, role.check), _OTHER]
    is_variable = _UPPER.fullmatch(name) and WEAK_NAME.search(name.lower())
    return _Promise(role.kind, ways, [_WEAK, *ways] if is_variable else ways)


def _with_word_before(text: str, start: int, name: str) -> str:
    """The name after the word ahead of a key, which says what it is for: `API_key` for `API key: ...`."""
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


def _value(text: str, end: int, promise: _Promise) -> tuple[Finding | None, int]:
    """The value of a name that ends at `end`, and the offset from which names are searched on."""
    position = end
    following = text[end]
    for pattern, check, begins in promise.assigned if following == "=" else promise.ways:
        match = pattern.match(text, end) if not begins or following in begins else None
        if not match:
            continue
        start, stop = match.span(match.lastindex or 0)
        if passes(check, text[start:stop]):
            stop = end_of_value(text, start, stop)
            return Finding(start, stop, promise.kind), stop
        if stop - start > MAX_VALUE_SEARCHED:
            position = max(position, start + (stop - start) // 2)
    return None, position
