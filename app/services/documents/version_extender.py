"""Makes the current version of a synced or committed document from the cached one and what came since."""

from __future__ import annotations

from dataclasses import replace

from app.opencode import DamagedIndex, NeedsWholeDocument, extend_index
from app.services.documents import event_log
from app.services.documents.cache import DocumentCache
from app.services.documents.cached_version import CachedVersion
from app.services.documents.event_log import Event, LogState
from app.services.documents.sources import NewVersion
from app.services.shares.live_share import LiveShare
from app.storage import object_key, revision_of_checkpoint


class VersionExtender:
    """Extends versions in `cache`, none to more than `max_bytes` of JSON."""

    def __init__(self, cache: DocumentCache, max_bytes: int) -> None:
        self._cache = cache
        self._max_bytes = max_bytes

    def extend(self, share: LiveShare) -> NewVersion | None:
        """Caches the document as its row is by now; None if the whole document has to be read for that.

        Raises ShareNotFound or StorageError.
        """
        base = self._cache.extendable(share)
        revision = share.revision_of(base.version.etag) if base else None
        if base is None or revision is None:
            return None
        state = event_log.read_state(share, since=revision)
        later = _events_since(state, base.version, revision)
        if not later:
            return None
        try:
            batches = (event.items for event in later)
            extension = extend_index(base.index, batches, event_log.header_after(state, later))
        except NeedsWholeDocument:
            return None
        except DamagedIndex:
            self._cache.drop_damaged(share)
            return None
        if extension.document_size > self._max_bytes:
            return None
        etag = state.share.synced_etag
        index = self._cache.extend(share, etag, base, extension)
        return NewVersion(etag, index) if index else None


def etag_after(state: LogState, event: Event) -> str:
    """The ETag that the document had when a batch had been merged."""
    return replace(state.share, revision=event.number, synced_at=event.received_at).synced_etag


def _events_since(state: LogState, version: CachedVersion, revision: int) -> list[Event]:
    """What came after a cached version, if that was the document at this revision; otherwise nothing.

    The number alone does not tell: a restored database counts on from an earlier one.
    """
    if state.events and state.events[0].number == revision:
        return state.events[1:] if etag_after(state, state.events[0]) == version.etag else []
    share = state.share
    if share.checkpoint is None or share.checkpoint != version.checkpoint:
        return []
    covered = revision_of_checkpoint(object_key(share.share_id, share.checkpoint))
    return state.events if covered == revision else []
