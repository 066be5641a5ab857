"""Heuristics that tell a probable secret from a name, a word, a path or a placeholder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from math import log2

from app.redaction.check_digits import has_check_digits
from app.redaction.rules import PLACEHOLDER_PART, PLACEHOLDER_START, WORD

MIN_RANDOM = 16
MIN_ENTROPY = 3.0
MIN_PASSWORD = 8
MIN_MIXED = 10
MIN_SCRAMBLED = 12
MIN_KEY_IN_ONE_CASE = 24
MAX_WORD = 80
MAX_CHECKED = 512
# The results that are remembered: the same values stand in many texts.
MAX_REMEMBERED = 4096
# Digits of base 16 repeat more often than letters.
MIN_HEX_ENTROPY = 2.5

# What a character that occurs so often takes from the entropy.
_WEIGHTS = [0.0, *(count * log2(count) for count in range(1, MAX_CHECKED + 1))]
_SEPARATOR = re.compile(r"[-_./:, ]")
_LETTER = re.compile(r"[A-Za-z]")
_UPPER = re.compile(r"[A-Z]")
_LOWER = re.compile(r"[a-z]")
_DIGIT = re.compile(r"[0-9]")
_SYMBOL = re.compile(r"[^A-Za-z0-9_./-]")
_DOTTED_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,19}(?:\.[A-Za-z_$][A-Za-z0-9_$]{0,19}){1,9}")
_REPEATED = re.compile(r"([\s\S])\1{7}")
# A part at the beginning that is repeated.
_PERIODIC = re.compile(r"([\s\S]{1,32}?)\1{3}")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_UUID = re.compile(r"(?:[A-Za-z]{1,12}_){0,2}[A-Za-z0-9]{8}(?:-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")
_ALPHANUMERIC = re.compile(r"[a-z0-9]+|[A-Z0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_CASES = re.compile(r"[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]+")
_DIGEST = re.compile(
    r"^(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}|[0-9A-F]{64})$"
    r"|[-:/](?:[0-9a-f]{32,}|[0-9A-F]{32,})$"
)


def is_placeholder(value: str) -> bool:
    lower = value.lower()
    return bool(PLACEHOLDER_START.match(lower) or PLACEHOLDER_PART.search(lower))


def entropy(value: str) -> float:
    """Shannon entropy in bits per character."""
    return log2(len(value)) - sum(map(_WEIGHTS.__getitem__, Counter(value).values())) / len(value)


def looks_random(value: str) -> bool:
    """Return whether the value is long and mixed enough to come from a random generator."""
    return _is_random(value) and not is_placeholder(value)


def is_key(value: str) -> bool:
    """Return whether a value looks random even to those who do not trust its name."""
    if not looks_random(value) or _DIGEST.search(value):
        return False
    runs = len(_CASES.findall(value))
    if _is_both_cases(value):
        return 3 * runs > len(value)
    is_alphanumeric = _ALPHANUMERIC.fullmatch(value) and not _HEX.fullmatch(value)
    return bool(is_alphanumeric) and len(value) >= MIN_KEY_IN_ONE_CASE and 4 * runs > len(value)


def is_unprefixed_key(value: str) -> bool:
    """Return whether digits stand among the letters as in no name, also in base 16."""
    is_mixed = 24 * len(_DIGITS.findall(value)) > len(value) or (
        _is_both_cases(value) and 3 * len(_CASES.findall(value)) > len(value)
    )
    is_even = entropy(value) >= (MIN_HEX_ENTROPY if _HEX.fullmatch(value) else MIN_ENTROPY)
    has_both = bool(_LETTER.search(value) and _DIGIT.search(value))
    return has_both and is_mixed and is_even and not PLACEHOLDER_PART.search(value.lower())


def is_scrambled(value: str) -> bool:
    """Return whether letters of both cases and digits alternate as in no name."""
    return (
        len(value) >= MIN_SCRAMBLED
        and _is_both_cases(value)
        and bool(_DIGIT.search(value))
        and 3 * len(_CASES.findall(value)) > len(value)
        and not is_placeholder(value)
        and not _is_worded(value)
        and entropy(value) >= MIN_ENTROPY
    )


def looks_like_password(value: str) -> bool:
    """Return whether a person may have chosen the value as a password."""
    if len(value) < MIN_PASSWORD or is_placeholder(value):
        return False
    if _is_random(value):
        return True
    if _is_worded(value) or _DOTTED_NAME.fullmatch(value):
        return False
    if _is_both_cases(value) and len(value) >= MIN_MIXED:
        return True
    return bool(_LETTER.search(value) and (_DIGIT.search(value) or _SYMBOL.search(value)))


def is_distinctive(value: str) -> bool:
    """Return whether the secret can be removed from every text, not only where a rule matched it.

    A short or repetitive value would also match text that is no secret.
    """
    return passes("distinctive", value)


def _is_random(value: str) -> bool:
    if len(value) < MIN_RANDOM or (_is_mostly_words(value) and not _UUID.fullmatch(value)):
        return False
    is_mixed = bool(_LETTER.search(value) and (_DIGIT.search(value) or _is_both_cases(value)))
    return is_mixed and entropy(value) >= (MIN_HEX_ENTROPY if _HEX.fullmatch(value) else MIN_ENTROPY)


def _is_mostly_words(value: str) -> bool:
    """Return whether at least half of the value is words and what separates them, as in the name of a pod."""
    rest = sum(len(segment) for segment in _SEPARATOR.split(value) if not _is_word(segment))
    return 2 * rest <= len(value)


def _is_worded(value: str) -> bool:
    return all(map(_is_word, _SEPARATOR.split(value)))


def _is_word(segment: str) -> bool:
    return len(segment) <= MAX_WORD and WORD.search(segment) is not None


def _is_both_cases(value: str) -> bool:
    return bool(_UPPER.search(value) and _LOWER.search(value))


# The values of `check` in `rules.json`.
CHECKS: dict[str, Callable[[str], bool]] = {
    "none": lambda value: True,
    "format": lambda value: not _REPEATED.search(value),
    "token": lambda value: not _is_worded(value) and not _REPEATED.search(value),
    "any": lambda value: not is_placeholder(value),
    "weak": lambda value: not is_placeholder(value) and bool(_LETTER.search(value)),
    "password": looks_like_password,
    "distinctive": lambda value: (
        not _REPEATED.search(value) and not _PERIODIC.match(value) and looks_like_password(value)
    ),
    "random": looks_random,
    "strong": lambda value: looks_random(value) and not _DIGEST.search(value),
    "alphanumeric": lambda value: (
        looks_random(value) and not _DIGEST.search(value) and bool(_DIGIT.search(value))
    ),
    "checked": has_check_digits,
    "key": is_key,
    "unprefixed": is_unprefixed_key,
    "scrambled": is_scrambled,
    "nkey": lambda value: entropy(value) >= MIN_ENTROPY,
    "mixed": lambda value: looks_random(value) and _is_both_cases(value) and bool(_DIGIT.search(value)),
}


def passes(check: str, value: str) -> bool:
    """Return whether the beginning of the value passes a check of `rules.json`."""
    return _passes(check, value[:MAX_CHECKED])


@lru_cache(MAX_REMEMBERED)
def _passes(check: str, value: str) -> bool:
    return CHECKS[check](value)
