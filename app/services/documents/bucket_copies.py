"""Copies documents to `sessions/<id>.json`, for programs that read the bucket.

A copy is never what readers get. It is written only while no upload link for that key is newer than the last
commit (`LiveShare.has_newer_link`), and `Shares.renew_upload` deletes it before it issues such a link; both
hold the lock of the share.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select, update

from app.db.extensions import db
from app.db.locks import advisory_lock
from app.db.models import Share
from app.opencode import UnreadableDocument
from app.services.documents import event_log
from app.services.documents.checkpoint import Checkpointer
from app.services.shares.errors import ShareError
from app.services.shares.inventory import ShareIds
from app.services.shares.live_share import LiveShare
from app.services.shares.live_shares import LiveShares
from app.storage import ObjectStore, document_key, encoding_of, object_key, read_object

SYNCED = ShareIds(Share.deleted_at.is_(None), Share.revision > 0)


class BucketCopies:
    """Goes through the live shares that are synced or committed, and brings their copies up to date.

    It may be broken off, repeated, and run several times at once. `written` and `unchanged` count copies,
    and `skipped` shares without one: their client uploads to that key, or their session cannot be read.
    """

    def __init__(self, store: ObjectStore, live_shares: LiveShares, checkpointer: Checkpointer) -> None:
        self._store = store
        self._live_shares = live_shares
        self._checkpointer = checkpointer
        self.written = 0
        self.unchanged = 0
        self.skipped = 0

    def __len__(self) -> int:
        return len(SYNCED)

    def __iter__(self) -> Iterator[str]:
        """Copies share after share and yields their ids. Raises StorageError."""
        for share_id in SYNCED:
            self._update(share_id)
            yield share_id

    def _update(self, share_id: str) -> None:
        try:
            self._checkpointer.checkpoint(share_id)
            with advisory_lock(share_id) as is_acquired:
                share = self._live_shares.get(share_id)
                if not is_acquired or share.checkpoint is None or share.has_newer_link:
                    self.skipped += 1
                elif self._is_current(share, share.checkpoint):
                    self.unchanged += 1
                elif self._write(share, share.checkpoint):
                    self.written += 1
                else:
                    self.skipped += 1
        except (ShareError, UnreadableDocument):
            self.skipped += 1

    def _is_current(self, share: LiveShare, checkpoint: str) -> bool:
        recorded = db.session.scalar(select(Share.copy_etag).where(Share.share_id == share.share_id))
        # No transaction is left open while the store is asked.
        db.session.rollback()
        copy = self._store.info(document_key(share.share_id))
        if copy is None or copy.etag != recorded:
            return False
        original = self._store.info(object_key(share.share_id, checkpoint))
        return original is not None and copy.modified_at > original.modified_at

    def _write(self, share: LiveShare, checkpoint: str) -> bool:
        """Copies a checkpoint. Returns whether the row names it still: another may be without a secret."""
        found = read_object(self._store, object_key(share.share_id, checkpoint))
        if found is None:
            return False
        _, data = found
        key = document_key(share.share_id)
        event_log.expect_object(share)
        self._store.put(key, data, encoding=encoding_of(data))
        copy = self._store.info(key)
        is_named = (Share.share_id == share.share_id) & (Share.checkpoint == checkpoint)
        recorded = (
            update(Share).where(is_named).values(copy_etag=copy and copy.etag).returning(Share.share_id)
        )
        is_recorded = db.session.scalar(recorded) is not None
        db.session.commit()
        if not is_recorded:
            self._store.delete(key)
        return is_recorded
