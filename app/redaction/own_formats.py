"""Reads the operator's own formats of secrets: literal prefixes and an alphabet, so that they stay linear."""

from __future__ import annotations

import re
from typing import Any

from app.redaction.rules import Rule, format_rule

MAX_FORMATS = 200

_ALPHABET = re.compile(r"[A-Za-z0-9_+/=.~%-]{1,80}")
_PREFIX = re.compile(r"[!-~]{2,40}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 -]{1,38}")
_EXAMPLE = '[{"name": "ACME token", "prefix": ["acme_"], "alphabet": "A-Za-z0-9", "length": [32, null]}]'


def own_rules(data: Any) -> list[Rule]:
    """Return a rule for each of the formats, a list as in `_EXAMPLE`.

    A format is removed as `[redacted:acme-token]`, after its name. `length` counts what follows the prefix.
    Raises ValueError for anything else, with a sentence for the operator.
    """
    if not isinstance(data, list) or len(data) > MAX_FORMATS or not all(map(_is_format, data)):
        raise ValueError(f"Formats of secrets must be a list like {_EXAMPLE}.")
    return [format_rule({**entry, "kind": _kind(entry["name"])}) for entry in data]


def _is_format(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == {"name", "prefix", "alphabet", "length"}
        and _is_text(entry["name"], _NAME)
        and _is_text(entry["alphabet"], _ALPHABET)
        and isinstance(entry["prefix"], list)
        and len(entry["prefix"]) > 0
        and all(_is_text(prefix, _PREFIX) for prefix in entry["prefix"])
        and _is_length(entry["length"])
    )


def _is_text(value: Any, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_length(length: Any) -> bool:
    match length:
        case int(exact):
            return 1 <= exact <= 500
        case [int(shortest), int(longest)]:
            return 1 <= shortest <= longest <= 500
        case [int(shortest), None]:
            return 1 <= shortest <= 500
    return False


def _kind(name: str) -> str:
    return re.sub("[ -]+", "-", name.lower()).strip("-")
