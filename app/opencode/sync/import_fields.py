"""Fields of a session on its way to an importer: small ones decoded, and what stands in for others."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from app.opencode.limits import object_fields

Fields = dict[str, Any]

UNKNOWN = "unknown"
# Longer fields are not decoded. What is completed is shorter, or in one of the objects that are.
MAX_FIELD_BYTES = 16 * 1024
NESTED = ("state", "summary")
_TOKENS = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}


def fields_of(json: Raw) -> Fields:
    """The fields of a JSON object; large ones stay JSON, because decoded they are many times as large.

    Raises ValidationError.
    """
    fields = object_fields(json)
    return {name: _field(name, value) for name, value in fields.items()}


def _field(name: str, value: Raw) -> object:
    if name in NESTED:
        try:
            return fields_of(value)
        except msgspec.ValidationError:
            return msgspec.json.decode(value)
    return value if len(memoryview(value)) > MAX_FIELD_BYTES else msgspec.json.decode(value)


def text(value: object, default: str) -> Any:
    is_text = isinstance(value, str) or (isinstance(value, Raw) and _begins_with(value, b'"'))
    return value if is_text else default


def is_object(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, Raw) and _begins_with(value, b"{"))


def _begins_with(json: Raw, character: bytes) -> bool:
    return bytes(memoryview(json)[:1]) == character


def numbers(value: object, names: tuple[str, ...], default: float = 0) -> Fields:
    fields = dict(value) if isinstance(value, dict) else {}
    return {**fields, **{name: number(fields.get(name), default) for name in names}}


def number(value: object, default: float) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else default


def tokens(value: object) -> Fields:
    given = value if isinstance(value, dict) else {}
    cache = given.get("cache") if isinstance(given.get("cache"), dict) else {}
    filled = {**_TOKENS, **given, "cache": numbers(cache, ("read", "write"))}
    return numbers(filled, ("input", "output", "reasoning"))
