"""Where the current version of a document comes from: an upload, or `synced_document`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from app.lib.slots import Slots
from app.opencode import DocumentIndex
from app.services.documents.freshness import Freshness
from app.services.documents.stored_document import StoredDocument, read_body, too_large
from app.services.shares.live_share import LiveShare
from app.storage import ObjectStore, StorageError, document_key


@contextmanager
def waiting_for_store(slots: Slots) -> Iterator[None]:
    """Raises StorageError if that would leave no worker for readers of what is cached."""
    with slots.take() as is_free:
        if not is_free:
            raise StorageError("every worker that may wait for it is waiting")
        yield


@dataclass(frozen=True)
class OpenDocument:
    """A version that was found; either `read` it or `close` it.

    `extend` makes it the cached version, if all that is new in it can be added to the one that is cached.
    """

    etag: str
    read: Callable[[], StoredDocument]
    close: Callable[[], None] = field(default=lambda: None)
    extend: Callable[[], NewVersion | None] = field(default=lambda: None)


@dataclass(frozen=True)
class NewVersion:
    """A version that was just cached, its index, and its size in bytes if it was read whole."""

    etag: str
    index: DocumentIndex
    size: int | None = None


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

    def is_newer(self, share: LiveShare) -> bool:
        """Whether a client that commits nothing PUT a document by a link issued since the last commit.

        So does a plugin that was replaced by an older one. Issuing the link has deleted what was there
        (`Shares.renew_upload`). Raises StorageError.
        """
        return share.has_newer_link and self._store.info(document_key(share.share_id)) is not None

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
