"""Walks the strings of a JSON value, each with the name of its field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from app.redaction.names import role_of

# Shorter strings are never searched.
MIN_LENGTH = 4
MAX_NAMED = 16_384
MAX_NAME = 100
# OpenCode dispatches on these fields: a document in which one is changed cannot be read.
_STRUCTURE = frozenset({"id", "type", "role", "tool", "name", "status", "mime"}) | frozenset(
    {"sessionID", "messageID", "callID", "parentID", "projectID", "providerID", "modelID"}
)
_WORD_OR_ID = re.compile(r"[A-Za-z_-]{1,30}|(?:ses|msg|prt)_[A-Za-z0-9]{20,40}")
_FIELD = re.compile(r"[A-Za-z]{1,30}")


class Text(NamedTuple):
    """A string; `name` is that of its field if it promises a secret, like `apiKey`, or else empty."""

    text: str
    name: str = ""


def texts_of(value: Any, name: str = "") -> Iterator[Text]:
    """Yield every string of a JSON value that may contain a secret, including keys of objects."""
    if isinstance(value, str):
        if _may_be_secret(value, name):
            yield _text(value, name)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            if _may_be_key(key):
                yield Text(key)
            yield from texts_of(item, _name_of(key, value))


def with_texts(value: Any, replace: Callable[[Text], str], name: str = "") -> Any:
    """Return the value with each string that `texts_of` yields replaced by `replace(text)`."""
    if isinstance(value, str):
        return replace(_text(value, name)) if _may_be_secret(value, name) else value
    if isinstance(value, list):
        return [with_texts(item, replace, name) for item in value]
    if isinstance(value, dict):
        taken: dict[str, int] = {}
        return {
            _unused(replace(Text(key)) if _may_be_key(key) else key, taken): with_texts(
                item, replace, _name_of(key, value)
            )
            for key, item in value.items()
        }
    return value


def _name_of(key: str, fields: dict[str, Any]) -> str:
    """The name of a field: `DB_PASSWORD` for `value` in `{"name": "DB_PASSWORD", "value": "..."}`."""
    if key != "value":
        return key
    return next((name for name in (fields.get("name"), fields.get("key")) if isinstance(name, str)), key)


def _unused(name: str, taken: dict[str, int]) -> str:
    """Return a key that is not in `taken`: two keys may become the same by redaction, and both values stay.

    `taken` maps each key to the last number that was appended to it.
    """
    number = taken.get(name, 0)
    result = name
    while result in taken:
        number += 1
        result = f"{name} ({number})"
    taken[name] = max(number, 1)
    taken[result] = 1
    return result


def _may_be_secret(text: str, name: str) -> bool:
    return len(text) >= MIN_LENGTH and not (name in _STRUCTURE and _WORD_OR_ID.fullmatch(text))


def _may_be_key(key: str) -> bool:
    """Return whether a key may contain a secret, as a file name may; OpenCode's own field names cannot."""
    return len(key) >= MIN_LENGTH and not _FIELD.fullmatch(key)


def _text(text: str, name: str) -> Text:
    is_named = 0 < len(name) <= MAX_NAME and len(text) <= MAX_NAMED and role_of(name) is not None
    return Text(text, name if is_named else "")
