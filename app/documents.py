"""The one place that fetches, unpacks and forgets session documents."""

from __future__ import annotations

import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property

from app.session import UnreadableDocument
from app.storage import ObjectStore, document_key
from app.storage.base import Body

CHUNK_BYTES = 1024 * 1024
# JSON cannot begin with the magic number of gzip (RFC 1952): the bytes tell by themselves.
GZIP_MAGIC = b"\x1f\x8b"


# How long the store's word is good while a session may still grow.
FRESH_SECONDS = 1
LARGE_FRESH_SECONDS = 20
LARGE_BYTES = 5 * 1024 * 1024
MAX_SEEN = 10_000


@dataclass(frozen=True)
class _Seen:
    """What the store last said of a document."""

    etag: str
    size: int
    fresh_until: float


@dataclass(frozen=True)
class Unchanged:
    """The caller's copy of a document is the current one."""

    etag: str


@dataclass(frozen=True)
class Document:
    """A document as stored; unpacked it may have at most `max_bytes`."""

    etag: str
    stored: bytes
    max_bytes: int

    @property
    def is_gzip(self) -> bool:
        return self.stored.startswith(GZIP_MAGIC)

    @cached_property
    def json(self) -> bytes:
        """The document unpacked. Raises UnreadableDocument."""
        return _gunzip(self.stored, self.max_bytes) if self.is_gzip else self.stored


class Documents:
    """The documents in `store`, none larger than `max_bytes`."""

    def __init__(self, store: ObjectStore, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def fetch(
        self, share_id: str, etag: str | None = None, *, life: str = "", is_settled: bool = False
    ) -> Document | Unchanged | None:
        """The document of a share; Unchanged when the caller holds its `etag`, None before any upload.

        The store is not asked again about a version it confirmed a moment ago, nor about any of a share
        that `is_settled` because no upload link for it is left. `life` tells a share from another that
        had its id before. A document over the cap is removed without being fetched. Raises
        UnreadableDocument or StorageError.
        """
        seen = self._seen.get(f"{share_id} {life}")
        if seen and seen.etag == etag and (is_settled or time.monotonic() < seen.fresh_until):
            return Unchanged(seen.etag)
        found = self._store.open(document_key(share_id), etag)
        if found is None:
            return None
        if found.body is None:
            size = seen.size if seen and seen.etag == found.etag else found.size
            self._remember(f"{share_id} {life}", found.etag, size)
            return Unchanged(found.etag)
        try:
            if found.size > self._max_bytes:
                self._store.delete(document_key(share_id))
                raise _too_large(self._max_bytes)
            document = Document(found.etag, self._read(found.body), self._max_bytes)
        finally:
            found.body.close()
        self._remember(f"{share_id} {life}", document.etag, len(document.stored))
        return document

    def _remember(self, key: str, etag: str, size: int) -> None:
        fresh = LARGE_FRESH_SECONDS if size > LARGE_BYTES else FRESH_SECONDS
        self._seen[key] = _Seen(etag, size, time.monotonic() + fresh)
        self._seen.move_to_end(key)
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    def _read(self, body: Body) -> bytes:
        # A store may understate the size, so what arrives is counted too.
        pieces = []
        left = self._max_bytes
        while piece := body.read(CHUNK_BYTES):
            left -= len(piece)
            if left < 0:
                raise _too_large(self._max_bytes)
            pieces.append(piece)
        return b"".join(pieces)


def _gunzip(stored: bytes, max_bytes: int) -> bytes:
    """One gzip member unpacked; a file of many tiny members would take hours."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(stored, max_bytes + 1)
    except zlib.error:
        raise UnreadableDocument("The document says it is gzip but cannot be unpacked.") from None
    if len(unpacked) > max_bytes:
        raise _too_large(max_bytes)
    if not unpacker.eof or unpacker.unused_data:
        raise UnreadableDocument("The document is not one complete gzip file; it may have been cut short.")
    return unpacked


def _too_large(max_bytes: int) -> UnreadableDocument:
    return UnreadableDocument(f"The document has more than the {max_bytes:,} bytes that this server takes.")
