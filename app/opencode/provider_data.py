"""Leaves out what providers put into a session for themselves: large, and it may be encrypted reasoning."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

OPAQUE = frozenset(
    (
        "native",
        "providerState",
        "providerMetadata",
        "providerContext",
        "providerResultState",
        "resultMetadata",
        "responseHeaders",
        "responseBody",
    )
)
# What is the provider's in the parts of an answer; the state of a tool, with metadata in it, is not.
OPAQUE_IN = {
    "text": OPAQUE | {"state", "metadata"},
    "reasoning": OPAQUE | {"state", "metadata"},
    "tool": OPAQUE | {"metadata"},
}
OPAQUE_IN_ERRORS = OPAQUE | {"metadata"}
# Taken apart, JSON needs many times its size; larger than this it is not shown.
MAX_BYTES = 1024 * 1024
TOO_LARGE = Raw(b'"This is too large to be shown."')


def without_opaque(json: Raw) -> Raw:
    """`json` of an unknown shape, without the keys that hold what is a provider's own."""
    encoded = bytes(json)
    if not any(f'"{key}"'.encode() in encoded for key in OPAQUE | {"state", "metadata"}):
        return json
    if len(encoded) > MAX_BYTES:
        return TOO_LARGE
    try:
        return Raw(msgspec.json.encode(_without(msgspec.json.decode(encoded))))
    except RecursionError:
        return TOO_LARGE


def _without(value: Any, *, is_error: bool = False) -> Any:
    if isinstance(value, list):
        return [_without(item, is_error=is_error) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = OPAQUE_IN_ERRORS if is_error else OPAQUE_IN.get(str(value.get("type")), OPAQUE)
    return {
        key: _without(item, is_error=is_error or key == "error")
        for key, item in value.items()
        if key not in dropped
    }
