"""The texts of a block by name: pages show excerpts of them, and `/full/<block>/<name>` serves the whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Raw

from app.opencode.model import Block, Notice, Reasoning, Text, Tool, Unknown

# Larger input is not split into fields: a small file could become a great many.
MAX_INPUT_BYTES = 2 * 1024 * 1024
MAX_INPUT_FIELDS = 50
# Indenting multiplies the size of JSON by its depth, so larger or deeper JSON stays as it was received.
MAX_INDENTED_BYTES = 64 * 1024
MAX_INDENTED_LEVELS = 32

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_OPENING, _CLOSING = b"[{", b"]}"
_NEITHER = bytes(set(range(256)) - {*_OPENING, *_CLOSING})


def texts(block: Block) -> dict[str, str]:
    """The texts of a block; those of a tool's input are named `input.KEY`."""
    read = READERS.get(type(block))
    return read(block) if read else {}


def fields_of(input: Raw) -> dict[str, str]:
    """The fields of a call's input as texts; all of it as one, without a name, if it has too many."""
    return {name.removeprefix("input").removeprefix("."): text for name, text in _input_texts(input).items()}


def as_json(text: str) -> str | None:
    """A text that is a JSON object or list, indented unless that is too much; None for any other."""
    text = text.strip()
    if not text.startswith(("{", "[")):
        return None
    encoded = text.encode(errors="replace")
    if len(encoded) > MAX_INDENTED_BYTES:
        return text if encoded.endswith((b"}", b"]")) else None
    try:
        msgspec.json.decode(encoded, type=Raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return _text_of(Raw(encoded))


def _tool_texts(tool: Tool) -> dict[str, str]:
    return {**_input_texts(tool.input), **_present({"output": tool.output, "error": tool.error})}


def _input_texts(input: Raw) -> dict[str, str]:
    if len(memoryview(input)) > MAX_INPUT_BYTES:
        return {"input": _text_of(input)}
    try:
        fields = msgspec.json.decode(input, type=dict[str, Raw])
    except (msgspec.DecodeError, RecursionError):
        return {"input": _text_of(input)}
    if len(fields) > MAX_INPUT_FIELDS:
        return {"input": _text_of(input)}
    # Together, too, the fields may not grow larger than one text.
    is_small = len(memoryview(input)) <= MAX_INDENTED_BYTES
    return {f"input.{name}": _text_of(value, indented=is_small) for name, value in fields.items()}


def _text_of(value: Raw, *, indented: bool = True) -> str:
    """A JSON string decoded; anything else as JSON, indented unless that is too much."""
    encoded = bytes(value)
    try:
        if encoded.startswith(b'"'):
            return msgspec.json.decode(encoded, type=str)
        if indented and len(encoded) <= MAX_INDENTED_BYTES and _levels(encoded) <= MAX_INDENTED_LEVELS:
            return msgspec.json.format(encoded, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return encoded.decode(errors="replace")


def _levels(json: bytes) -> int:
    """The depth of JSON."""
    brackets = _STRING.sub(b"", json).translate(None, delete=_NEITHER)
    return max(accumulate(1 if bracket in _OPENING else -1 for bracket in brackets), default=0)


def _present(named: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in named.items() if text}


READERS: dict[type[Block], Callable[[Any], dict[str, str]]] = {
    Text: lambda block: {"text": block.text},
    Reasoning: lambda block: {"text": block.text},
    Notice: lambda block: _present({"detail": block.detail}),
    Unknown: lambda block: {"json": _text_of(block.json)},
    Tool: _tool_texts,
}
