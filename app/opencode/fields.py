"""Readers of the fields that messages of every generation share; a broken field never spoils its message."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from app.opencode.model import Failure, Tokens

ABSENT = Raw(b"null")
# OpenCode 1's name, and OpenCode 2's.
ABORTS = ("MessageAbortedError", "aborted")

# Larger objects with something of a wrong type in them are not read: that takes a decoding for each field.
MAX_REPAIRED_BYTES = 1024 * 1024

# MessagePack has no larger integers; real times and costs are smaller.
MAX_NUMBER = 2**63 - 1

# What pages name their own elements with; no message and no part gets such an id.
PAGE_PREFIX = "ui-"
_ID = re.compile(rf"(?!{PAGE_PREFIX})[A-Za-z0-9_.-]{{1,80}}")
_S = TypeVar("_S", bound=msgspec.Struct)


class Span(msgspec.Struct, frozen=True):
    """When something began and ended: `start` and `end` in V1 parts, otherwise `created` and `completed`."""

    created: float | None = None
    updated: float | None = None
    ran: float | None = None
    completed: float | None = None
    start: float | None = None
    end: float | None = None
    compacted: float | None = None
    pruned: float | None = None

    @property
    def at(self) -> int | None:
        return milliseconds(self.created)

    @property
    def updated_at(self) -> int | None:
        """When it last changed; never before it began, even if a clock was set back."""
        return None if self.updated is None else int(max(self.updated, self.created or 0))

    @property
    def duration(self) -> int | None:
        """How long it took; for a tool that waited for a permission, since it ran."""
        began = first(self.start, self.ran, self.created)
        ended = first(self.end, self.completed)
        return None if began is None or ended is None else max(0, int(ended - began))


class _Cache(msgspec.Struct, frozen=True):
    read: float = 0
    write: float = 0


class _Tokens(msgspec.Struct, frozen=True):
    input: float = 0
    output: float = 0
    reasoning: float = 0
    cache: Raw = ABSENT


class _Model(msgspec.Struct, frozen=True):
    providerID: str = ""  # noqa: N815 - names here and below are OpenCode's
    modelID: str = ""  # noqa: N815
    id: str = ""


class _ErrorData(msgspec.Struct, frozen=True):
    message: str = ""


class _Error(msgspec.Struct, frozen=True):
    """V1 has `name` and `data.message`; V2 has `type` and `message`.

    The provider's response headers and body, which may contain keys, are never read.
    """

    name: str = ""
    type: str = ""
    message: str = ""
    data: _ErrorData = _ErrorData()


def lenient(shape: type[_S]) -> Callable[[Raw], _S]:
    """A reader of an optional field: what is missing or broken, or broken in it, counts as empty."""
    decode, empty = decoder(shape), shape()

    def read(field: Raw) -> _S:
        try:
            return empty if is_absent(field) else decode(field)
        except (msgspec.ValidationError, RecursionError):
            return empty

    return read


def decoder(shape: type[_S]) -> Callable[[Raw], _S]:
    """A decoder of JSON objects in which a value of a wrong type counts as absent.

    It raises ValidationError for anything but an object, and where a field is missing that `shape` requires.
    """
    decode = msgspec.json.Decoder(shape).decode

    def read(json: Raw) -> _S:
        try:
            return decode(json)
        except msgspec.ValidationError:
            return decode(_without_wrong_types(json, shape))

    return read


def _without_wrong_types(json: Raw, shape: type[msgspec.Struct]) -> bytes:
    if len(memoryview(json)) > MAX_REPAIRED_BYTES:
        raise msgspec.ValidationError("too large to be read field by field")
    types = _types_of(shape)
    given = msgspec.json.decode(json, type=dict[str, Raw])
    return msgspec.json.encode(
        {name: value for name, value in given.items() if name in types and _is_of(value, types[name])}
    )


@cache
def _types_of(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(shape)}


def _is_of(value: Raw, type: Any) -> bool:
    try:
        msgspec.json.decode(value, type=type)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


read_span = lenient(Span)
_read_tokens = lenient(_Tokens)
_read_cache = lenient(_Cache)
_read_model = lenient(_Model)
_read_error = lenient(_Error)


def read_tokens(field: Raw) -> Tokens:
    counts = _read_tokens(field)
    cache = _read_cache(counts.cache)
    return Tokens(
        int(counts.input), int(counts.output), int(counts.reasoning), int(cache.read), int(cache.write)
    )


def read_model(field: Raw) -> str:
    """`provider/model` of a reference to a model, in the spelling of either generation."""
    model = _read_model(field)
    return model_name(model.providerID, model.modelID or model.id)


def model_name(provider: str, model: str) -> str:
    return f"{provider}/{model}" if provider and model else model


def read_failure(field: Raw) -> Failure | None:
    if is_absent(field):
        return None
    error = _read_error(field)
    name = error.name or error.type or "UnknownError"
    return Failure(name, error.data.message or error.message or name, aborted=name in ABORTS)


def read_text(field: Raw) -> str:
    """A string; empty for anything else."""
    try:
        return "" if is_absent(field) else msgspec.json.decode(field, type=str)
    except (msgspec.ValidationError, RecursionError):
        return ""


def read_amount(field: Raw) -> float:
    """A number; zero for anything else."""
    try:
        return 0 if is_absent(field) else msgspec.json.decode(field, type=float)
    except (msgspec.ValidationError, RecursionError):
        return 0


def is_absent(field: Raw) -> bool:
    """Whether a field whose default is ABSENT is missing or null."""
    return field == ABSENT


def milliseconds(time: float | None) -> int | None:
    return None if time is None else int(time)


def bounded(number: int) -> int:
    """`number` as an integer of 64 bits."""
    # Not with `min` and `max`, which take longer for what is nearly always within.
    if -MAX_NUMBER <= number <= MAX_NUMBER:
        return number
    return MAX_NUMBER if number > 0 else -MAX_NUMBER


def first(*values: float | None) -> float | None:
    for value in values:
        if value is not None:
            return value
    return None


def safe_id(id: str, fallback: str) -> str:
    """`id` if it can be part of a URL and of a page, as all of OpenCode's own can; otherwise `fallback`."""
    return id if _ID.fullmatch(id) else fallback
