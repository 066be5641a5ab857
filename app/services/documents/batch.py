"""What one sync brings, as the rows that the event log keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import zstandard

from app.opencode import Item, sanitize_item, weight_of

# Of JSON in a row: the drivers of the databases copy a value several times.
ROW_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Batch:
    """What one sync brings; it may be a whole session, of which this makes no copy.

    Stored without provider data, as a JSON list of `{type, data}` of `size` bytes in `row_count` rows.
    """

    items: Sequence[Item]

    @cached_property
    def size(self) -> int:
        return sum(map(len, self._pieces()))

    @cached_property
    def weight(self) -> int:
        """As in app.opencode.sync.weight."""
        return weight_of(self.items)

    @property
    def row_count(self) -> int:
        return -(-self.size // ROW_BYTES)

    def rows(self) -> Iterator[bytes]:
        """The slices of the JSON, each compressed with zstd."""
        return (zstandard.compress(row) for row in _slices(self._pieces(), ROW_BYTES))

    def json(self) -> bytearray:
        json = bytearray()
        for piece in self._pieces():
            json += piece
        return json

    def _pieces(self) -> Iterator[bytes | memoryview]:
        start = b"["
        for item in self.items:
            yield start
            yield from sanitize_item(item)
            start = b","
        yield b"]" if self.items else b"[]"


def _slices(pieces: Iterable[bytes | memoryview], size: int) -> Iterator[bytearray]:
    """The pieces joined and cut anew, each slice but the last of `size` bytes."""
    joined = bytearray()
    for piece in pieces:
        rest = memoryview(piece)
        while len(joined) + len(rest) > size:
            room = size - len(joined)
            yield joined + rest[:room]
            joined, rest = bytearray(), rest[room:]
        joined += rest
    yield joined
