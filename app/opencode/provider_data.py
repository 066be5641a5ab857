"""Removes what model providers put into a session for themselves: large, and possibly encrypted reasoning."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

PROVIDER_DATA = frozenset(
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
# Keys that are the provider's in the parts of an answer; a tool's `state`, with its own metadata, is not.
PROVIDER_DATA_IN = {
    "text": PROVIDER_DATA | {"state", "metadata"},
    "reasoning": PROVIDER_DATA | {"state", "metadata"},
    "tool": PROVIDER_DATA | {"metadata"},
}
_ANY_KEY = re.compile(f'"(?:{"|".join(sorted(PROVIDER_DATA | {"state", "metadata"}))})"'.encode())
PROVIDER_DATA_IN_ERRORS = PROVIDER_DATA | {"metadata"}
# Decoded, JSON needs many times its size in memory; what is larger is not shown.
MAX_BYTES = 1024 * 1024
TOO_LARGE = Raw(b'"This is too large to be shown."')


def without_provider_data(json: Raw) -> Raw:
    """JSON of an unknown shape, without the keys of provider data."""
    if not _ANY_KEY.search(memoryview(json)):
        return json
    if len(memoryview(json)) > MAX_BYTES:
        return TOO_LARGE
    try:
        return Raw(msgspec.json.encode(_without(msgspec.json.decode(json))))
    except RecursionError:
        return TOO_LARGE


def _without(value: Any, *, is_error: bool = False) -> Any:
    if isinstance(value, list):
        return [_without(item, is_error=is_error) for item in value]
    if not isinstance(value, dict):
        return value
    dropped_keys = (
        PROVIDER_DATA_IN_ERRORS if is_error else PROVIDER_DATA_IN.get(str(value.get("type")), PROVIDER_DATA)
    )
    return {
        key: _without(item, is_error=is_error or key == "error")
        for key, item in value.items()
        if key not in dropped_keys
    }
