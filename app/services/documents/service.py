"""The one place that fetches session documents, and decides which version readers get."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

from app.lib.build_id import build_id
from app.lib.slots import Slots
from app.opencode import JSON, DocumentIndex, description_of
from app.opencode.changes.record import FileRecord, read_changes, write_changes
from app.opencode.paging.ids import IdIndex, write_ids
from app.services.documents.cache import DocumentCache
from app.services.documents.cached_version import CachedVersion
from app.services.documents.document_files import short_version
from app.services.documents.freshness import Freshness
from app.services.documents.sources import (
    NewVersion,
    NotModified,
    OpenDocument,
    UploadedDocument,
    waiting_for_store,
)
from app.services.documents.stored_document import StoredDocument
from app.services.documents.synced_document import SyncedDocument
from app.services.shares.descriptions import Descriptions
from app.services.shares.live_share import LiveShare


@dataclass(frozen=True)
class DocumentVersion:
    """One version of a share's document.

    `is_stale`: the store may have a newer one, which is to be fetched after this one was served.
    `is_unconfirmed`: the database does not answer, so the share may have changed or be gone.
    `new_index`: the index, where this call has just made it.
    """

    share: LiveShare
    etag: str
    is_stale: bool = False
    is_unconfirmed: bool = False
    new_index: DocumentIndex | None = None

    @cached_property
    def short_id(self) -> str:
        """The ETag as 16 characters for names and digests."""
        return short_version(self.etag)


class VersionGone(Exception):
    """A version was evicted from the cache while it was served; `Documents.reload` has the current one."""


class Documents:
    """The documents in the store, cached on this host."""

    def __init__(
        self,
        uploaded: UploadedDocument,
        synced: SyncedDocument,
        cache: DocumentCache,
        freshness: Freshness,
        slots: Slots,
        descriptions: Descriptions,
    ) -> None:
        self._cache = cache
        self._slots = slots
        self._descriptions = descriptions
        self._freshness = freshness
        self._uploaded = uploaded
        self._synced = synced

    def fetch(self, share: LiveShare, known_etag: str | None = None) -> StoredDocument | NotModified | None:
        """The current document itself; NotModified for a caller that has it, None before there is any.

        The store is asked for its version each time, and a version is read once on this host. Raises
        UnreadableDocument or StorageError.
        """
        version = self._refresh(share, self._cache.version(share), wait=True)
        if version is None:
            return None
        if version.etag == known_etag:
            return NotModified(version.etag)
        return self._cached_document(version) or self.read(share)

    def current(self, share: LiveShare) -> DocumentVersion | None:
        """The current version of a share's document, read once on this host; None before the first upload.

        While a large document may have changed, readers get the cached version as stale, without waiting. Of
        what is synced or committed, only those do that come while another worker makes the next version.
        Raises UnreadableDocument or StorageError.
        """
        cached = self._cache.version(share)
        if cached is None:
            return self._refresh(share, None, wait=True)
        if self._freshness.is_fresh(share, cached):
            self._cache.note_checkpoint(share)
            return DocumentVersion(share, cached.etag)
        if self._freshness.may_serve_stale(share, cached):
            if share.revision:
                merged = self._refresh(share, cached, wait=False)
                if merged and merged.new_index:
                    return merged
            return DocumentVersion(share, cached.etag, is_stale=True)
        return self._refresh(share, cached, wait=True)

    def read(self, share: LiveShare) -> StoredDocument | None:
        """The current document, past the cache; None before there is any.

        Raises UnreadableDocument or StorageError.
        """
        with waiting_for_store(self._slots):
            opened = self._source(share).open(share, None)
            return opened.read() if isinstance(opened, OpenDocument) else None

    def cached(self, share: LiveShare) -> DocumentVersion | None:
        """The version that was cached last, for readers while the database does not answer."""
        cached = self._cache.version(share)
        return DocumentVersion(share, cached.etag, is_unconfirmed=True) if cached else None

    def is_current(self, share: LiveShare, etag: str) -> bool:
        """Whether this version may be served without asking the store."""
        cached = self._cache.version(share)
        return cached is not None and cached.etag == etag and self._freshness.is_fresh(share, cached)

    def refresh(self, share: LiveShare) -> None:
        """Caches the next version if the store has one, unless another worker is doing so already."""
        self._refresh(share, self._cache.version(share), wait=False)

    def reload(self, share: LiveShare) -> DocumentVersion | None:
        """The current version, read again whatever is cached. Raises as `fetch`."""
        self._cache.drop(share)
        return self._refresh(share, None, wait=True)

    def index(self, version: DocumentVersion) -> DocumentIndex:
        """The index of a version, under the title of its share. Raises VersionGone or UnreadableDocument.

        Reading from it raises DamagedIndex if the cache was damaged.
        """
        index = version.new_index or self._cache.index(version.share, version.etag)
        if index is None:
            raise VersionGone
        if version.share.custom_title:
            index.conversation.title = version.share.custom_title
        return index

    def ids(self, version: DocumentVersion) -> IdIndex:
        """Where the parts of a version are, by their ids. Raises as `index`."""
        index = self.index(version)
        return IdIndex(self.export(version, f"ids.{build_id()}", lambda: [write_ids(index)]), index)

    def changes(self, version: DocumentVersion) -> Sequence[FileRecord]:
        """The files that the session of a version changed. Raises as `index`."""

        def write() -> list[bytes]:
            index = self.index(version)
            return [write_changes(index.conversation)]

        return read_changes(self.export(version, f"changes.{build_id()}", write))

    def export(self, version: DocumentVersion, name: str, make: Callable[[], Iterable[bytes]]) -> memoryview:
        """What `make` writes from the whole of a version; it is made once on this host, in chunks."""
        share, etag = version.share, version.etag
        export = self._cache.pages.map(share, etag, name)
        if export is None:
            with self._cache.lock(share, wait=True, name=name):
                export = self._cache.pages.map(share, etag, name)
                if export is None and self._cache.pages.write(share, etag, name, make()):
                    export = self._cache.pages.map(share, etag, name)
        return memoryview(b"".join(make())) if export is None else export

    def json(self, version: DocumentVersion) -> JSON:
        """A version as JSON. Raises VersionGone, or as `fetch`."""
        document = self._cached_document(version) or self.read(version.share)
        if document is None or document.etag != version.etag:
            raise VersionGone
        return document.json

    def cache_keys(self) -> Collection[str]:
        return {*self._freshness.cache_keys(), *self._cache.cache_keys()}

    def forget(self, cache_key: str) -> None:
        """Drops what this host knows of a share."""
        self._freshness.forget(cache_key)
        self._cache.forget(cache_key)

    def _cached_document(self, version: DocumentVersion) -> StoredDocument | None:
        """The document of a version, unless it was evicted. Raises UnreadableDocument."""
        self._cache.raise_cached_error(version.share, version.etag)
        return self._cache.document(version.share, version.etag)

    def _source(self, share: LiveShare) -> UploadedDocument | SyncedDocument:
        if share.revision and not self._uploaded.is_newer(share):
            return self._synced
        return self._uploaded

    def _refresh(
        self, share: LiveShare, cached: CachedVersion | None, *, wait: bool
    ) -> DocumentVersion | None:
        """Asks the source for the current version, and caches it if it is another than `cached`."""
        with ExitStack() as slot:
            slot.enter_context(waiting_for_store(self._slots))
            return self._open_and_cache(share, cached, slot, wait=wait)

    def _open_and_cache(
        self, share: LiveShare, cached: CachedVersion | None, slot: ExitStack, *, wait: bool
    ) -> DocumentVersion | None:
        source = self._source(share)
        asked_at = self._freshness.monotonic()
        while isinstance(opened := source.open(share, cached.etag if cached else None), OpenDocument):
            with self._cache.lock(share, wait=wait) as is_acquired:
                latest = self._cache.version(share)
                if is_acquired and latest == cached:
                    new = opened.extend() or self._write(share, opened, slot)
                    upload_bytes = None if share.revision else new.size
                    self._descriptions.replace(share, description_of(new.index.conversation), upload_bytes)
                    self._freshness.mark_checked(share, new.etag, asked_at)
                    return DocumentVersion(share, new.etag, new_index=new.index)
                opened.close()
            if not is_acquired or latest is None or latest.etag == opened.etag:
                break
            # Another worker has cached what may be newer than what was found here.
            cached = latest
            asked_at = self._freshness.monotonic()
        if opened is None:
            return None
        self._freshness.mark_checked(share, opened.etag, asked_at)
        return DocumentVersion(share, opened.etag)

    def _write(self, share: LiveShare, opened: OpenDocument, slot: ExitStack) -> NewVersion:
        document = opened.read()
        # The rest is work, and no reason to refuse others.
        slot.close()
        return NewVersion(document.etag, self._cache.write(share, document), len(document.json))
