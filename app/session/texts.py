"""Every text inside a block, by name: what a page shows an excerpt of and serves in full beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from app.session.model import Block, Notice, Reasoning, Text, Tool, Unknown

# Larger input is not taken apart: a small file could become a great many keys.
MAX_INPUT_BYTES = 2 * 1024 * 1024
MAX_INPUT_FIELDS = 50


def texts(block: Block) -> dict[str, str]:
    """The texts of a block; those of a tool's input are named `input.KEY`."""
    read = READERS.get(type(block))
    return read(block) if read else {}


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
    return {f"input.{name}": _text_of(value) for name, value in fields.items()}


def _text_of(value: Raw) -> str:
    """A JSON string as the text it stands for; anything else as indented JSON."""
    encoded = bytes(value)
    try:
        if encoded.startswith(b'"'):
            return msgspec.json.decode(encoded, type=str)
        return msgspec.json.format(encoded, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return encoded.decode(errors="replace")


def _present(named: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in named.items() if text}


READERS: dict[type[Block], Callable[[Any], dict[str, str]]] = {
    Text: lambda block: {"text": block.text},
    Reasoning: lambda block: {"text": block.text},
    Notice: lambda block: _present({"detail": block.detail}),
    Unknown: lambda block: {"json": _text_of(block.json)},
    Tool: _tool_texts,
}
