"""Reads the fields of a call that a form knows, and no others."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Raw

S = TypeVar("S", bound=msgspec.Struct)

# A list of empty objects takes some thirty times its size in memory.
MAX_LIST_BYTES = 4 * 1024 * 1024


def read_fields(encoded: Raw, type: type[S]) -> S:
    """The fields of `type`, texts and numbers only, in JSON of any size. Raises msgspec.DecodeError."""
    return msgspec.json.decode(encoded, type=type)


def read_lists(encoded: Raw, type: type[S]) -> S:
    """As read_fields for a type that has lists; JSON over MAX_LIST_BYTES counts as empty."""
    if len(memoryview(encoded)) > MAX_LIST_BYTES:
        return type()
    return msgspec.json.decode(encoded, type=type)
