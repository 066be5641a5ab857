"""A document as it is stored, and unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from app.opencode import JSON, UnreadableDocument
from app.storage.objects import Body

CHUNK_BYTES = 1024 * 1024
# Small, because zlib copies at every call what it has not come to yet.
PIECE_BYTES = 64 * 1024
# Deflate puts no more than 258 bytes into two bits (RFC 1951).
MAX_RATIO = 1032
# JSON cannot begin with the magic number of gzip (RFC 1952): the bytes tell by themselves.
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Document:
    """A document as stored; unpacked it may have at most `max_bytes`."""

    etag: str
    stored: JSON
    max_bytes: int

    @property
    def is_gzip(self) -> bool:
        return self.stored.startswith(GZIP_MAGIC)

    @cached_property
    def json(self) -> JSON:
        """The document unpacked. Raises UnreadableDocument."""
        return _gunzip(self.stored, self.max_bytes) if self.is_gzip else self.stored


def read_body(body: Body, max_bytes: int) -> bytearray:
    """All of a body. Raises UnreadableDocument when it has more than `max_bytes`, whatever the store said."""
    # It grows in place: joined pieces would need twice the memory.
    read = bytearray()
    while piece := body.read(CHUNK_BYTES):
        read += piece
        if len(read) > max_bytes:
            raise too_large(max_bytes)
    return read


def too_large(max_bytes: int) -> UnreadableDocument:
    return UnreadableDocument(f"The document has more than the {max_bytes:,} bytes that this server takes.")


def _gunzip(stored: JSON, max_bytes: int) -> bytearray:
    """One gzip member unpacked; a file of many tiny members would take hours."""
    # Its last four bytes say how much there is; room that grows bit by bit takes a fifth more memory. Where
    # they lie, zlib says so in the end.
    size = int.from_bytes(stored[-4:], "little")
    unpacked = bytearray(min(size, max_bytes, len(stored) * MAX_RATIO))
    room = memoryview(unpacked)
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for piece in in_pieces(stored):
            if unpacker.eof:
                raise _incomplete()
            while piece:
                found = unpacker.decompress(piece, CHUNK_BYTES)
                if len(found) > len(room):
                    raise too_large(max_bytes) if size > max_bytes else _incomplete()
                room[: len(found)] = found
                room = room[len(found) :]
                piece = unpacker.unconsumed_tail
    except zlib.error:
        raise UnreadableDocument("The document says it is gzip but cannot be unpacked.") from None
    if not unpacker.eof or unpacker.unused_data:
        raise _incomplete()
    return unpacked


def _incomplete() -> UnreadableDocument:
    return UnreadableDocument("The document is not one complete gzip file; it may have been cut short.")


def in_pieces(data: JSON) -> Iterator[bytes]:
    """Large data to be sent or unpacked without a second copy of all of it."""
    view = memoryview(data)
    return (bytes(view[start : start + PIECE_BYTES]) for start in range(0, len(view), PIECE_BYTES))
