"""Reads the fields of a call that a view needs, and no others."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Raw

S = TypeVar("S", bound=msgspec.Struct)

# A list of empty objects takes some thirty times its size in memory.
MAX_LIST_BYTES = 4 * 1024 * 1024
# In larger JSON, a null where none is expected makes all of it unreadable.
MAX_NULLED_BYTES = 1024 * 1024


def read_fields(encoded: Raw, type: type[S]) -> S:
    """The fields of `type`, texts and numbers only, in JSON of any size; null counts as absent.

    Raises msgspec.DecodeError.
    """
    try:
        return msgspec.json.decode(encoded, type=type)
    except msgspec.ValidationError:
        if len(memoryview(encoded)) > MAX_NULLED_BYTES:
            raise
        value = msgspec.json.decode(encoded)
        return type() if value is None else msgspec.convert(_without_nulls(value), type)


def read_lists(encoded: Raw, type: type[S]) -> S:
    """As read_fields for a type that has lists; JSON over MAX_LIST_BYTES counts as empty."""
    if len(memoryview(encoded)) > MAX_LIST_BYTES:
        return type()
    return read_fields(encoded, type)


def between(text: str, opening: str, closing: str) -> str | None:
    """The text between the first `opening` and the last `closing`, without a newline at either end."""
    start = text.find(opening)
    end = text.rfind(closing, start + len(opening)) if start >= 0 else -1
    return text[start + len(opening) : end].removeprefix("\n").removesuffix("\n") if end >= 0 else None


def _without_nulls(value: Any) -> Any:
    """JSON without fields that are null; nulls in lists stay."""
    if isinstance(value, dict):
        return {name: _without_nulls(field) for name, field in value.items() if field is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
