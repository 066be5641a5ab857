"""Where the current version of a document comes from: an upload, or OpenCode's sync batches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from app.opencode import JSON, UnreadableDocument
from app.services.documents import event_log
from app.services.documents.cache import DocumentCache
from app.services.documents.freshness import Freshness
from app.services.documents.stored_document import StoredDocument, read_body, too_large
from app.services.shares.live_share import LiveShare
from app.storage import ObjectStore, document_key


@dataclass(frozen=True)
class OpenDocument:
    """A version that was found; either `read` it or `close` it."""

    etag: str
    read: Callable[[], StoredDocument]
    close: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class NotModified:
    """The caller's version is the current one."""

    etag: str


class UploadedDocument:
    """A document that its client PUT whole: the object in the store is the current version."""

    def __init__(self, store: ObjectStore, freshness: Freshness, max_bytes: int) -> None:
        self._store = store
        self._freshness = freshness
        self._max_bytes = max_bytes

    def open(self, share: LiveShare, known_etag: str | None) -> OpenDocument | NotModified | None:
        """The current version; None before the first upload.

        An upload over the cap is removed without being fetched; one that was there before the cap was lowered
        stays. Raises UnreadableDocument or StorageError.
        """
        key = document_key(share.share_id)
        stored = self._store.open(key, known_etag)
        if stored is None:
            return None
        body = stored.body
        if body is None:
            return NotModified(stored.etag)
        if stored.size > self._max_bytes:
            body.close()
            if not self._freshness.is_settled(share):
                self._store.delete(key)
            raise too_large(self._max_bytes)

        def read() -> StoredDocument:
            with closing(body):
                return StoredDocument(stored.etag, read_body(body, self._max_bytes), self._max_bytes)

        return OpenDocument(stored.etag, read, body.close)


class SyncedDocument:
    """A document made from sync batches: the last checkpoint in the store and the batches since."""

    def __init__(self, store: ObjectStore, cache: DocumentCache, max_bytes: int) -> None:
        self._store = store
        self._cache = cache
        self._max_bytes = max_bytes

    def open(self, share: LiveShare, known_etag: str | None) -> OpenDocument | NotModified:
        etag = share.synced_etag
        if known_etag == etag:
            return NotModified(etag)
        return OpenDocument(etag, lambda: StoredDocument(etag, self.json(share), self._max_bytes))

    def json(self, share: LiveShare) -> JSON:
        """The document as of `share.revision`. Raises UnreadableDocument or StorageError.

        Finding out that it cannot be read may take as much as reading it, so each host does that once.
        """
        self._cache.raise_cached_error(share, share.synced_etag)
        try:
            json = event_log.load_document(share, self._checkpoint)
            if len(json) > self._max_bytes:
                raise too_large(self._max_bytes)
        except UnreadableDocument as error:
            self._cache.write_error(share, share.synced_etag, error)
            raise
        return json

    def _checkpoint(self, share_id: str) -> JSON | None:
        stored = self._store.open(document_key(share_id))
        if stored is None or stored.body is None:
            return None
        with closing(stored.body) as body:
            return StoredDocument(stored.etag, read_body(body, self._max_bytes), self._max_bytes).json
