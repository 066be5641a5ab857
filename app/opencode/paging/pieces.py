"""The file of messages: pieces of JSON one after another, each with a checksum in the index."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Raw

from app.lib.files import checksum
from app.opencode.paging.records import ByteRange


class DamagedIndex(Exception):
    """A piece of the file of messages is not as it was written."""


class Pieces:
    """Collects what is to be written to the file of messages, from the byte `end` on."""

    def __init__(self, end: int = 0) -> None:
        self.pieces: list[Raw] = []
        self._end = end

    def add(self, piece: Raw) -> ByteRange:
        place = ByteRange(self._end, len(memoryview(piece)), checksum(memoryview(piece)))
        self.pieces.append(piece)
        self._end += place.size
        return place

    def add_all(self, fields: Mapping[str, Raw]) -> dict[str, ByteRange]:
        return {name: self.add(value) for name, value in fields.items()}


def piece_of(messages: memoryview, place: ByteRange) -> Raw:
    """Raises DamagedIndex."""
    piece = messages[place.start : place.start + place.size]
    if checksum(piece) != place.checksum:
        raise DamagedIndex
    return Raw(piece)
