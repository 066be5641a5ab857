"""Errors of answers on their way to an importer, which refuses a session for one that it does not know."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.fields import read_text
from app.opencode.sync.import_fields import UNKNOWN, Fields, fields_of, number, text

# The fields that each error of today's OpenCode must have.
ERRORS: dict[str, Fields] = {
    "APIError": {"message": "", "isRetryable": False},
    "ContentFilterError": {"message": ""},
    "ContextOverflowError": {"message": ""},
    "MessageAbortedError": {"message": ""},
    "MessageOutputLengthError": {},
    "ProviderAuthError": {"message": "", "providerID": UNKNOWN},
    "StructuredOutputError": {"message": "", "retries": 0},
    "UnknownError": {"message": ""},
}


def complete_error(error: object) -> Fields | None:
    """The error of an answer with every field that it needs; None for what is no object."""
    fields = _object(error)
    if fields is None:
        return None
    name, data = _plain(fields.get("name")), _object(fields.get("data")) or {}
    if name not in ERRORS:
        return unknown_error(name, data.get("message", fields.get("message")))
    filled = {key: _like(default, data.get(key)) for key, default in ERRORS[name].items()}
    return {**fields, "name": name, "data": {**data, **filled}}


def unknown_error(name: str, message: object) -> Fields:
    """An error that an importer does not know, as one that says what it was."""
    words = ": ".join(filter(None, (name, _plain(message)))) or UNKNOWN
    return {"name": "UnknownError", "data": {"message": words}}


def _like(default: object, value: object) -> object:
    """`value` if it is of the type of `default`, otherwise that."""
    if isinstance(default, str):
        return text(value, default)
    if isinstance(default, bool):
        return value if isinstance(value, bool) else default
    return number(value, 0)


def _object(value: object) -> Fields | None:
    if isinstance(value, dict):
        return value
    try:
        return fields_of(value) if isinstance(value, Raw) else None
    except msgspec.ValidationError:
        return None


def _plain(value: object) -> str:
    if isinstance(value, Raw):
        return read_text(value)
    return value if isinstance(value, str) else ""
