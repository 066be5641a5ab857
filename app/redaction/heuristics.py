"""Heuristics that tell a probable secret from a name, a word, a path or a placeholder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from math import log2

from app.redaction.rules import PLACEHOLDERS, WORD

MIN_RANDOM = 16
MIN_ENTROPY = 3.0
MIN_PASSWORD = 8
MIN_MIXED = 10
MAX_WORD = 80

_SEPARATOR = re.compile(r"[-_./:#, ]")
_LETTER = re.compile(r"[A-Za-z]")
_UPPER = re.compile(r"[A-Z]")
_LOWER = re.compile(r"[a-z]")
_DIGIT = re.compile(r"[0-9]")
_SYMBOL = re.compile(r"[^A-Za-z0-9_./-]")
_DOTTED_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,19}(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,19}){1,9}")
_REPEATED = re.compile(r"([\s\S])\1{7}")
_DIGEST = re.compile(r"(?:^|[-:/])(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}|[0-9A-F]{64})$")


def is_placeholder(value: str) -> bool:
    lowered = value.lower()
    return any(pattern.search(lowered) for pattern in PLACEHOLDERS)


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    length = len(value)
    return -sum(count / length * log2(count / length) for count in Counter(value).values())


def looks_random(value: str) -> bool:
    """Return whether the value is long and mixed enough to come from a random generator."""
    if len(value) < MIN_RANDOM or is_placeholder(value) or _is_worded(value):
        return False
    is_mixed = bool(_LETTER.search(value) and (_DIGIT.search(value) or _is_both_cases(value)))
    return is_mixed and entropy(value) >= MIN_ENTROPY


def looks_like_password(value: str) -> bool:
    """Return whether a person may have chosen the value as a password."""
    if looks_random(value):
        return True
    if (
        len(value) < MIN_PASSWORD
        or is_placeholder(value)
        or _is_worded(value)
        or _DOTTED_NAME.fullmatch(value)
    ):
        return False
    if _is_both_cases(value) and len(value) >= MIN_MIXED:
        return True
    return bool(_LETTER.search(value) and (_DIGIT.search(value) or _SYMBOL.search(value)))


def is_distinctive(value: str) -> bool:
    """Return whether the secret can be removed from every text, not only where a rule matched it.

    A short or repetitive value would also match text that is no secret.
    """
    return looks_like_password(value) and not _REPEATED.search(value)


def _is_worded(value: str) -> bool:
    return all(len(segment) <= MAX_WORD and WORD.search(segment) for segment in _SEPARATOR.split(value))


def _is_both_cases(value: str) -> bool:
    return bool(_UPPER.search(value) and _LOWER.search(value))


# The values of `check` in `rules.json`.
CHECKS: dict[str, Callable[[str], bool]] = {
    "format": lambda value: not _REPEATED.search(value),
    "any": lambda value: not is_placeholder(value),
    "weak": lambda value: not is_placeholder(value) and bool(_LETTER.search(value)),
    "password": looks_like_password,
    "random": looks_random,
    "strong": lambda value: looks_random(value) and not _DIGEST.search(value),
    "mixed": lambda value: looks_random(value) and _is_both_cases(value) and bool(_DIGIT.search(value)),
}
