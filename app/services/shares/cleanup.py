"""Removes expired shares, and what shares left behind: for the operator, while the server is in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, select

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.models import Share
from app.services.shares.expiry import Expiry
from app.services.shares.live_share import LiveShare
from app.services.shares.service import is_share_id
from app.services.shares.tombstones import delete_orphan, is_purgeable, mark_deleted, purge_tombstone
from app.storage import ObjectInfo, ObjectStore, document_key, is_temporary, share_id_of

# Younger than this, a share may still get its document, and an object may still be uploading.
GRACE = timedelta(days=1)
ROWS_PER_FETCH = 1000


class StoreMismatch(Exception):
    """The database and the store have nothing to do with each other."""

    def __init__(self) -> None:
        super().__init__(
            "No share in the database has its document in the store, so one of the two may be a wrong one."
        )


@dataclass(frozen=True)
class Orphans:
    """What may be swept: ids of tombstones and of shares without a document, and objects without a share."""

    tombstones: list[str]
    empty: list[str]
    objects: list[ObjectInfo]


class Cleanup:
    """Works on the rows in the database and the documents in `store`; `expiry` says what has expired.

    Every step checks again before it removes something, so any number of runs may go on beside each other and
    beside the server. Each raises StorageError; what was half done is finished by a later sweep.
    """

    def __init__(self, store: ObjectStore, expiry: Expiry, connection: AutocommitConnection) -> None:
        self._store = store
        self._expiry = expiry
        self._connection = connection

    def has_row(self, share_id: str) -> bool:
        """Whether the id is that of a share or of a tombstone."""
        return db.session.get(Share, share_id) is not None

    def expired(self) -> list[str]:
        """The ids of shares that have expired."""
        has_expired = self._expiry.has_passed(datetime.now(UTC))
        return list(db.session.scalars(select(Share.share_id).where(Share.deleted_at.is_(None), has_expired)))

    def purge(self, share_id: str) -> LiveShare | None:
        """Deletes an expired share and its document; None if there is no such share any more."""
        return self._delete_if(share_id, self._expiry.has_passed(datetime.now(UTC)))

    def find_orphans(self, objects: Iterable[ObjectInfo], *, force: bool = False) -> Orphans:
        """What there is to sweep, given the listing of the store. Raises StoreMismatch, unless `force`."""
        now = datetime.now(UTC)
        stored = {share_id_of(info.key) or info.key: info for info in objects if _is_ours(info.key)}
        empty = []
        matches = 0
        rows = select(Share.share_id, Share.last_link_at, Share.deleted_at, Share.pending_bytes)
        # Asked after the listing: a share whose document is in it has its row.
        for row in db.session.execute(rows.execution_options(yield_per=ROWS_PER_FETCH)):
            if stored.pop(row.share_id, None):
                matches += 1
            elif row.deleted_at is None and not row.pending_bytes and row.last_link_at < now - GRACE:
                empty.append(row.share_id)
        orphaned = [info for info in stored.values() if info.modified_at < now - GRACE]
        if (empty or orphaned) and not matches and not force:
            raise StoreMismatch
        tombstones = db.session.scalars(select(Share.share_id).where(is_purgeable(now)))
        return Orphans(list(tombstones), empty, orphaned)

    def sweep_tombstone(self, share_id: str) -> bool:
        """Frees the id of a deleted share, and deletes what a late upload left. Returns whether it did."""
        return purge_tombstone(share_id, self._store)

    def sweep_empty(self, share_id: str) -> bool:
        """Deletes a share for which nothing was uploaded. Returns whether that was still so."""
        if any(self._store.list(document_key(share_id))):
            return False
        is_old = Share.last_link_at < datetime.now(UTC) - GRACE
        return self._delete_if(share_id, is_old & (Share.pending_bytes == 0)) is not None

    def sweep_object(self, info: ObjectInfo) -> bool:
        """Deletes an object that belongs to no share. Returns whether it was still there."""
        share_id = share_id_of(info.key)
        if share_id:
            return delete_orphan(share_id, self._store, self._connection)
        existed = any(self._store.list(info.key))
        self._store.delete(info.key)
        return existed

    def _delete_if(self, share_id: str, condition: ColumnElement[bool]) -> LiveShare | None:
        deleted = mark_deleted(share_id, condition)
        if deleted:
            self._store.delete(document_key(share_id))
        return deleted


def _is_ours(key: str) -> bool:
    """Whether the app can have made the object; a bucket may hold others."""
    share_id = share_id_of(key)
    return is_share_id(share_id) if share_id else is_temporary(key)
