"""JSON that is partly encoded, and how to encode the rest without a copy of what is large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

# A value up to this size is cheaper to copy than to take apart.
COPIED_BYTES = 64 * 1024

# What is encoded, and objects and lists that contain such.
PartlyEncoded = Raw | dict[str, Any] | list[Any]


def json_pieces(value: PartlyEncoded, size: int) -> Iterable[bytes | memoryview]:
    """The JSON of a value of about `size` bytes, in pieces if it is large."""
    return [msgspec.json.encode(value)] if size <= COPIED_BYTES else encode_pieces(value)


def encode_pieces(value: object) -> Iterator[bytes | memoryview]:
    """The JSON of a value in pieces; what is encoded in it is a piece of its own, which is not copied."""
    match value:
        case Raw():
            yield memoryview(value)
        case dict():
            start = b"{"
            for name, item in value.items():
                yield b"%b%b:" % (start, msgspec.json.encode(name))
                yield from encode_pieces(item)
                start = b","
            yield b"}" if value else b"{}"
        case list():
            start = b"["
            for item in value:
                yield start
                yield from encode_pieces(item)
                start = b","
            yield b"]" if value else b"[]"
        case _:
            yield msgspec.json.encode(value)
