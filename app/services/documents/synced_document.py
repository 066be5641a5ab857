"""A document that is synced or committed: the checkpoint that its row names, and the batches since.

A database that was restored from a backup may be older or younger than the store. Such a share is read at the
newest state that can be proved: from the newest checkpoint in the store, with what the log has beyond it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

from app.lib.epoch import epoch_milliseconds
from app.opencode import (
    JSON,
    UnreadableDocument,
    as_unreadable,
    header_of,
    weight_of_document,
)
from app.services.documents import event_log
from app.services.documents.cache import DocumentCache
from app.services.documents.event_log import EMPTY_DOCUMENT, LogState
from app.services.documents.sources import NotModified, OpenDocument
from app.services.documents.stored_document import StoredDocument, gzip, read_body, too_large
from app.services.documents.version_extender import VersionExtender, etag_after
from app.services.shares.live_share import LiveShare
from app.storage import (
    ObjectStore,
    StorageError,
    document_key,
    object_key,
    objects_of,
    revision_of_checkpoint,
)

# A checkpoint is read again when another one has superseded it meanwhile.
ATTEMPTS = 3
NAME_BYTES = 8

logger = logging.getLogger(__name__)


Reader = Callable[[], JSON]


class MergedDocument(NamedTuple):
    """A document, and the state of the log that it was made from."""

    state: LogState
    json: JSON


class SyncedDocument:
    """Reads the documents of synced shares, none of more than `max_bytes`."""

    def __init__(self, store: ObjectStore, cache: DocumentCache, max_bytes: int) -> None:
        self._store = store
        self._cache = cache
        self._max_bytes = max_bytes
        self._extender = VersionExtender(cache, max_bytes)

    def open(self, share: LiveShare, known_etag: str | None) -> OpenDocument | NotModified:
        etag = share.synced_etag
        if known_etag == etag:
            return NotModified(etag)
        return OpenDocument(etag, lambda: self._read(share), extend=lambda: self._extender.extend(share))

    def merge(self, share: LiveShare) -> MergedDocument:
        """The document as its row is by now. Raises ShareNotFound, UnreadableDocument or StorageError.

        Finding out that it cannot be read may take as much as reading it, so each host does that once.
        """
        # A client with links uploads everything again when it finds another revision than its own.
        if not share.has_links and self._cache.version(share) is None:
            self._repair_if_rolled_back(share)
        self._cache.raise_cached_error(share, share.synced_etag)
        try:
            merged = self._merge(share)
            if len(merged.json) > self._max_bytes:
                raise too_large(self._max_bytes)
        except UnreadableDocument as error:
            self._cache.write_error(share, share.synced_etag, error)
            raise
        return merged

    def write_checkpoint(
        self, state: LogState, json: JSON, *, revision: int | None = None, packed: bytes | None = None
    ) -> bool:
        """Stores a document that contains all of `state`, and names it in the row of its share.

        `revision` replaces the row's; `packed` is the document as gzip, where the caller has it. Returns
        whether it is named; another one may have been faster, or the share was deleted. Raises StorageError.
        """
        share = state.share
        name = f"{revision or share.revision}-{secrets.token_hex(NAME_BYTES)}"
        key = object_key(share.share_id, name)
        event_log.expect_object(share)
        self._store.put(key, packed or gzip(json), encoding="gzip", if_absent=True)
        lighter_by = state.weight - weight_of_document(json)
        is_named = event_log.commit_checkpoint(state, name, len(json), lighter_by, revision=revision)
        if not is_named:
            self._store.delete(key)
        return is_named

    def repair(self, share: LiveShare) -> None:
        """Makes the newest state that can be proved the current one. Raises as `merge`."""
        for _ in range(ATTEMPTS):
            merged = self.merge_newest(share)
            with as_unreadable():
                stored_revision = header_of(merged.json).revision
            revision = max(stored_revision, merged.state.share.revision) + 1
            renumbered = event_log.with_events(merged.state, merged.json, [], revision=revision)
            if self.write_checkpoint(merged.state, renumbered(), revision=revision):
                return
        raise StorageError("the session changes faster than it can be repaired")

    def read_object(self, key: str) -> StoredDocument | None:
        """The object under a key; None if there is none. Raises as `merge`."""
        stored = self._store.open(key)
        if stored is None or stored.body is None:
            return None
        with closing(stored.body) as body:
            return StoredDocument(stored.etag, read_body(body, self._max_bytes), self._max_bytes)

    def copy(self, key: str, other_key: str) -> None:
        """Copies an object. Raises StorageError."""
        json = self._read_object(key)
        if json is None:
            raise StorageError(f"there is no object {key}")
        self._store.put(other_key, gzip(json), encoding="gzip")

    def newest_checkpoint(self, share: LiveShare) -> str | None:
        """The key of the checkpoint with the highest revision in the store. Raises StorageError.

        What a client uploaded beside the document is none: it may not have been committed.
        """
        keys = (info.key for info in objects_of(self._store, share.share_id))
        document = document_key(share.share_id)
        checkpoints = [key for key in keys if key == document or revision_of_checkpoint(key)]
        return max(checkpoints, key=lambda key: revision_of_checkpoint(key) or 0, default=None)

    def merge_newest(self, share: LiveShare) -> MergedDocument:
        """The newest state that store and database prove together. Raises as `merge`."""
        state, read = self._open_newest(share)
        return MergedDocument(state, read())

    def _read(self, share: LiveShare) -> StoredDocument:
        state, json = self.merge(share)
        return StoredDocument(state.share.synced_etag, json, self._max_bytes, known_clean=True)

    def _merge(self, share: LiveShare) -> MergedDocument:
        state, read = self._open(share)
        return MergedDocument(state, read())

    def _open(self, share: LiveShare) -> tuple[LogState, Reader]:
        for _ in range(ATTEMPTS):
            state = event_log.read_state(share)
            if cached := self._cached(state):
                return _merged(state, cached, by_time=False)
            checkpoint = self._checkpoint(state)
            if checkpoint is not None:
                # Releases before 0.2 wrote checkpoints over each other, which a row cannot name.
                return _merged(state, checkpoint, by_time=not state.share.checkpoint)
        logger.error("the checkpoint of share %s is not in the store", share.share_id)
        return self._open_newest(share)

    def _open_newest(self, share: LiveShare) -> tuple[LogState, Reader]:
        state = event_log.read_state(share)
        key = self.newest_checkpoint(state.share)
        document = self._read_object(key) if key else None
        return _merged(state, document or EMPTY_DOCUMENT, by_time=True)

    def _cached(self, state: LogState) -> JSON | None:
        """The document of this host's cache, if it is that of a batch in the log: the store is not asked."""
        version = self._cache.version(state.share)
        for event in reversed(state.events):
            if version and etag_after(state, event) == version.etag:
                document = self._cache.document(state.share, version.etag)
                return document.json if document else None
        return None

    def _repair_if_rolled_back(self, share: LiveShare) -> None:
        """A store that is ahead of the row tells that the database was restored. Asked once on each host."""
        try:
            key = self.newest_checkpoint(share)
        except StorageError:
            return
        if key and (revision_of_checkpoint(key) or 0) > share.revision:
            logger.warning(
                "the row of share %s is older than its checkpoint, and is repaired", share.share_id
            )
            self.repair(share)

    def _checkpoint(self, state: LogState) -> JSON | None:
        """The document that the row names; None if it is missing."""
        if state.share.checkpoint:
            return self._read_object(object_key(state.share.share_id, state.share.checkpoint))
        if not state.document_bytes:
            return EMPTY_DOCUMENT
        return self._read_object(document_key(state.share.share_id))

    def _read_object(self, key: str) -> JSON | None:
        stored = self.read_object(key)
        return stored.json if stored else None


def _merged(state: LogState, document: JSON, *, by_time: bool) -> tuple[LogState, Reader]:
    """A document with the batches that it lacks, to be read when they have been freed.

    Numbers say which, unless the database was restored, and counts on from an earlier number: then batches
    with a known number that arrived after the last one of the document are new as well.
    """
    if not by_time and not state.events:
        return state, lambda: document
    with as_unreadable():
        header = header_of(document)
    if header.created_at != state.share.created_ms:
        # Releases before 0.2 let another share take over an id, with what was stored under it.
        document, header = EMPTY_DOCUMENT, header_of(EMPTY_DOCUMENT)
    later = [
        event
        for event in state.events
        if event.number > header.revision
        or (by_time and epoch_milliseconds(event.received_at) > header.updated_at)
    ]
    read = event_log.with_events(state, document, later) if later else lambda: document
    return state._replace(events=[]), read
