"""Tombstones: the rows of deleted shares, which keep their ids from being used again too early."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, insert, update

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.services.shares.live_share import UPLOAD_LINK_LIFETIME, LiveShare
from app.storage import ObjectStore, document_key


def mark_deleted(share_id: str, *conditions: ColumnElement[bool]) -> LiveShare | None:
    """Turns a live share that meets the conditions into a tombstone. Returns the share as it was, if any."""
    is_live = (Share.share_id == share_id) & Share.deleted_at.is_(None)
    cleared = {"session_id": "", "expires_at": None, "created_by": None, "pending_bytes": 0}
    deleted = (
        update(Share)
        .where(is_live, *conditions)
        .values(deleted_at=datetime.now(UTC), **cleared)
        .returning(Share.share_id, Share.created_at, Share.last_link_at)
    )
    row = db.session.execute(deleted).first()
    if row:
        db.session.execute(delete(ShareEvent).where(ShareEvent.share_id == share_id))
    db.session.commit()
    return LiveShare.from_row(*row) if row else None


def is_purgeable(now: datetime) -> ColumnElement[bool]:
    """Condition on a row: it is a tombstone whose upload links have all expired.

    Counted from the delete as well: one that waits for a slow store must not hit who takes over the id.
    """
    expired = now - UPLOAD_LINK_LIFETIME
    return (Share.deleted_at < expired) & (Share.last_link_at < expired)


def purge_tombstone(share_id: str, store: ObjectStore) -> bool:
    """Frees the id of a purgeable tombstone, and deletes what a late upload left. Returns whether it did.

    Raises StorageError; the tombstone then stays for another while.
    """
    now = datetime.now(UTC)
    # Claimed first, so that nobody takes the id, or does the same, while the store is busy.
    claim = update(Share).where(Share.share_id == share_id, is_purgeable(now)).values(deleted_at=now)
    claimed = db.session.scalar(claim.returning(Share.share_id))
    db.session.commit()
    if claimed is None:
        return False
    _purge(share_id, now, store)
    return True


def delete_orphan(share_id: str, store: ObjectStore, connection: AutocommitConnection) -> bool:
    """Deletes a document whose share has no row. Returns whether there was one.

    A tombstone holds the id meanwhile. Raises StorageError; the tombstone then stays.
    """
    now = datetime.now(UTC)
    cleared = {"session_id": "", "secret": ""}
    times = {"created_at": now, "last_link_at": now, "deleted_at": now}
    if not connection.insert_if_absent(insert(Share), {"share_id": share_id, **cleared, **times}):
        return False
    existed = any(store.list(document_key(share_id)))
    _purge(share_id, now, store)
    return existed


def _purge(share_id: str, claimed_at: datetime, store: ObjectStore) -> None:
    store.delete(document_key(share_id))
    is_claimed = (Share.share_id == share_id) & (Share.deleted_at == claimed_at)
    db.session.execute(delete(Share).where(is_claimed))
    db.session.commit()
