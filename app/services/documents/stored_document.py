"""A session document as it is stored, possibly gzip-encoded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

# The interface of zlib in half the time.
from zlib_ng import zlib_ng as zlib

from app.lib.chunks import chunks
from app.opencode import JSON, UnreadableDocument, Utf8Document, as_utf8
from app.storage.objects import GZIP_MAGIC, Body

READ_BYTES = 1024 * 1024
GZIP_LEVEL = 3
# Deflate encodes no more than 258 bytes in two bits (RFC 1951).
MAX_RATIO = 1032


@dataclass(frozen=True)
class StoredDocument:
    """The bytes of an object in the store; decoded, it may have at most `max_bytes`.

    What is `known_clean` was `json` of another document before.
    """

    etag: str
    stored: JSON
    max_bytes: int
    known_clean: bool = False

    @property
    def is_gzip(self) -> bool:
        return self.stored.startswith(GZIP_MAGIC)

    @cached_property
    def json(self) -> JSON:
        """The document as JSON in UTF-8, all of whose texts can be decoded. Raises UnreadableDocument."""
        return self._utf8.json

    @cached_property
    def sha256(self) -> str:
        """Of the JSON as it came, in hexadecimal; to be asked for before `json`, which mends it."""
        return hashlib.sha256(self._decoded).hexdigest()

    @property
    def is_as_stored(self) -> bool:
        """Whether the JSON is what is stored, apart from gzip. Raises UnreadableDocument."""
        return not self._utf8.is_changed

    @property
    def clean(self) -> JSON:
        """What is stored if it is as it should be, otherwise the JSON: reading it changes nothing again."""
        return self.stored if self.is_as_stored else self.json

    @cached_property
    def _utf8(self) -> Utf8Document:
        return Utf8Document(self._decoded, is_changed=False) if self.known_clean else as_utf8(self._decoded)

    @cached_property
    def _decoded(self) -> JSON:
        return _gunzip(self.stored, self.max_bytes) if self.is_gzip else self.stored


def read_body(body: Body, max_bytes: int) -> bytearray:
    """All of a body. Raises UnreadableDocument after `max_bytes`, whatever its headers said."""
    # One buffer that grows in place: joining chunks would need twice the memory.
    data = bytearray()
    while chunk := body.read(READ_BYTES):
        data += chunk
        if len(data) > max_bytes:
            raise too_large(max_bytes)
    return data


def too_large(max_bytes: int) -> UnreadableDocument:
    return UnreadableDocument(f"The document is larger than {max_bytes:,} bytes, the limit of this server.")


def gzip(json: JSON) -> bytes:
    """JSON as it is stored: one gzip member."""
    encoder = zlib.compressobj(GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
    # One buffer that grows in place, where `zlib.compress` needs twice the memory.
    encoded = BytesIO()
    encoded.writelines(map(encoder.compress, chunks(json)))
    encoded.write(encoder.flush())
    return encoded.getvalue()


def _gunzip(stored: JSON, max_bytes: int) -> bytearray:
    """Decodes one gzip member; a file of many tiny members would take hours.

    By hand, because `zlib.decompress` has no limit, and `max_length` of a decompressor doubles the peak
    memory.
    """
    # The last four bytes give the size (RFC 1952): a buffer of that size needs a fifth less memory than one
    # that grows. If they lie, zlib notices in the end.
    size = int.from_bytes(stored[-4:], "little")
    decoded = bytearray(min(size, max_bytes, len(stored) * MAX_RATIO))
    room = memoryview(decoded)
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for chunk in chunks(stored):
            if decoder.eof:
                raise _incomplete()
            while chunk:
                output = decoder.decompress(chunk, READ_BYTES)
                if len(output) > len(room):
                    raise too_large(max_bytes) if size > max_bytes else _incomplete()
                room[: len(output)] = output
                room = room[len(output) :]
                chunk = decoder.unconsumed_tail
    except zlib.error:  # type: ignore[misc]  # an instance, says its stub
        raise UnreadableDocument("The document says it is gzip but cannot be unpacked.") from None
    if not decoder.eof or decoder.unused_data:
        raise _incomplete()
    return decoded


def _incomplete() -> UnreadableDocument:
    return UnreadableDocument("The document is not one complete gzip file; it may have been cut short.")
