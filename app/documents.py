"""The one place that fetches, unpacks, keeps and forgets session documents."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

from app.cache import Cache
from app.life import Life
from app.session import Conversation, UnreadableDocument, read_conversation
from app.storage import ObjectStore, StoredObject, document_key
from app.storage.base import Body

CHUNK_BYTES = 1024 * 1024
# JSON cannot begin with the magic number of gzip (RFC 1952): the bytes tell by themselves.
GZIP_MAGIC = b"\x1f\x8b"
# How long the store's word is good while a session may still grow, and for how long after the last upload
# link has expired an upload may still be under way.
FRESH_SECONDS = 1
LARGE_FRESH_SECONDS = 20
LARGE_BYTES = 5 * 1024 * 1024
UPLOAD_SECONDS = 600
MAX_SEEN = 10_000

# Makes the newest document of a share from the stored one, where there is one.
Newest = Callable[[Life, Callable[[], bytes | None]], bytes]


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


@dataclass(frozen=True)
class Edition:
    """One version of a share's document; `version` is short for its `etag`."""

    life: Life
    etag: str
    version: str
    _json: Callable[[], bytes]

    @cached_property
    def json(self) -> bytes:
        """The document unpacked. Raises UnreadableDocument or StorageError."""
        return self._json()

    @cached_property
    def conversation(self) -> Conversation:
        """What the document says. Raises UnreadableDocument or StorageError."""
        return read_conversation(self.json)


@dataclass
class _Seen:
    """What the store last said of a document: its version, size in bytes, and when (epoch seconds)."""

    etag: str
    size: int
    at: float

    def is_good(self, life: Life) -> bool:
        """Whether it need not be asked again: just asked, or asked when nothing could change any more.

        Of a native share, the row tells.
        """
        if life.revision:
            return self.etag == native_etag(life)
        settled = life.links_end.timestamp() + UPLOAD_SECONDS
        fresh = LARGE_FRESH_SECONDS if self.size > LARGE_BYTES else FRESH_SECONDS
        return self.at > settled or time.time() - self.at < fresh


class Documents:
    """The documents in `store`, none larger than `max_bytes`, unpacked ones kept in `cache`.

    `newest` adds to those of OpenCode's own protocol what is not in the store yet.
    """

    def __init__(self, store: ObjectStore, cache: Cache, max_bytes: int, newest: Newest) -> None:
        self._store = store
        self._newest = newest
        self._cache = cache
        self._max_bytes = max_bytes
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def fetch(self, life: Life, etag: str | None = None) -> Document | Unchanged | None:
        """The document of a share; Unchanged for a caller with its `etag`, None before there is any.

        An upload over the cap is removed without being fetched. Raises UnreadableDocument or StorageError.
        """
        found = self._open(life, etag)
        if found is None:
            return None
        if found.body is None:
            return Unchanged(found.etag)
        return self._document(life.share_id, found, found.body)

    def newest_json(self, life: Life) -> bytes:
        """The document of a native share, with all that has come for it. Raises as `fetch`."""
        json = self._newest(life, lambda: self._stored_json(life.share_id))
        if len(json) > self._max_bytes:
            raise _too_large(self._max_bytes)
        return json

    def _open(self, life: Life, etag: str | None) -> StoredObject | None:
        """What the store has; of a native share, that with what has come since."""
        if not life.revision:
            return self._store.open(document_key(life.share_id), etag)
        if etag == native_etag(life):
            return StoredObject(etag, 0, None)
        json = self.newest_json(life)
        return StoredObject(native_etag(life), len(json), BytesIO(json))

    def _stored_json(self, share_id: str) -> bytes | None:
        found = self._store.open(document_key(share_id))
        return self._document(share_id, found, found.body).json if found and found.body else None

    def _document(self, share_id: str, found: StoredObject, body: Body) -> Document:
        try:
            if found.size > self._max_bytes:
                self._store.delete(document_key(share_id))
                raise _too_large(self._max_bytes)
            return Document(found.etag, self._read(body), self._max_bytes)
        finally:
            body.close()

    def current(self, life: Life) -> Edition | None:
        """The newest version of a share's document, fetched once on this machine; None before any upload."""
        seen = self._seen.get(life.name)
        # What the workers fetched last, so that none goes back behind what another has shown.
        held = (self._cache.get(life.name, "etag") or b"").decode() or (seen.etag if seen else None)
        if seen and seen.etag == held and seen.is_good(life):
            return self._edition(life, seen.etag)
        found = self.fetch(life, held)
        if found is None:
            return None
        if isinstance(found, Unchanged):
            self._remember(life, found.etag, seen.size if seen else 0)
            return self._edition(life, found.etag)
        self._keep(life, found)
        self._remember(life, found.etag, len(found.stored))
        return self._edition(life, found.etag, found)

    def lives(self) -> set[str]:
        """The names of the lives of which this machine holds something."""
        return {*self._seen, *self._cache.lives()}

    def forget(self, life: str) -> None:
        """Drops what this machine holds of the life with this name."""
        self._seen.pop(life, None)
        self._cache.forget(life)

    def _edition(self, life: Life, etag: str, document: Document | None = None) -> Edition:
        version = _version(etag)

        def json() -> bytes:
            if document:
                return document.json
            kept = self._cache.get(life.name, f"{version}.json")
            return kept if kept is not None else self._fetch_again(life)

        return Edition(life, etag, version, json)

    def _fetch_again(self, life: Life) -> bytes:
        """For a version that the cache has dropped; a newer one serves as well."""
        found = self.fetch(life)
        if not isinstance(found, Document):
            raise UnreadableDocument("The session is being replaced; try again in a moment.")
        self._keep(life, found)
        return found.json

    def _keep(self, life: Life, document: Document) -> None:
        """Keeps the unpacked document for the other pages and workers; nothing that cannot be read."""
        try:
            json = document.json
        except UnreadableDocument:
            return
        version = _version(document.etag)
        self._cache.put(life.name, f"{version}.json", json)
        self._cache.put(life.name, "etag", document.etag.encode())
        self._cache.keep_only(life.name, (version, "etag", "steps."))

    def _remember(self, life: Life, etag: str, size: int) -> None:
        self._seen[life.name] = _Seen(etag, size, time.time())
        self._seen.move_to_end(life.name)
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


def native_etag(life: Life) -> str:
    """What the batches make of a document, their number alone tells, wherever they are kept."""
    return f"{life.created_ms}-{life.revision}"


def _version(etag: str) -> str:
    return hashlib.sha256(etag.encode()).hexdigest()[:16]


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
