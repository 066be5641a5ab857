"""What is left of a share that has ended: a row that keeps its id from coming back too early."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, insert, update

from app.db.connection import StandingConnection
from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.services.shares.live_share import LINK_LIFETIME, Life
from app.storage import ObjectStore, document_key


def bury(share_id: str, *conditions: ColumnElement[bool]) -> Life | None:
    """Makes a live share that meets the conditions a tombstone; gives back the life that ended, if any."""
    live = (Share.share_id == share_id) & Share.deleted_at.is_(None)
    nothing = {"session_id": "", "expires_at": None, "created_by": None, "pending_bytes": 0}
    ended = (
        update(Share)
        .where(live, *conditions)
        .values(deleted_at=datetime.now(UTC), **nothing)
        .returning(Share.share_id, Share.created_at, Share.last_link_at)
    )
    row = db.session.execute(ended).first()
    if row:
        db.session.execute(delete(ShareEvent).where(ShareEvent.share_id == share_id))
    db.session.commit()
    return Life.of(*row) if row else None


def may_go(now: datetime) -> ColumnElement[bool]:
    """What holds for tombstones whose upload links have all expired.

    Counted from the delete as well: one that waits for a slow store must not hit who takes over the id.
    """
    expired = now - LINK_LIFETIME
    return (Share.deleted_at < expired) & (Share.last_link_at < expired)


def drop(share_id: str, store: ObjectStore) -> bool:
    """Frees the id of a tombstone that may go, and removes what a late upload left; whether there was one.

    Raises StorageError; the tombstone then stays for another while.
    """
    now = datetime.now(UTC)
    # Claimed first, so that nobody takes the id, or does the same, while the store is busy.
    claim = update(Share).where(Share.share_id == share_id, may_go(now)).values(deleted_at=now)
    claimed = db.session.scalar(claim.returning(Share.share_id))
    db.session.commit()
    if claimed is None:
        return False
    _clear(share_id, now, store)
    return True


def clear_stray(share_id: str, store: ObjectStore, standing: StandingConnection) -> bool:
    """Removes a document that has no row; whether there was one.

    A tombstone holds the id meanwhile. Raises StorageError; the tombstone then stays.
    """
    now = datetime.now(UTC)
    nothing = {"session_id": "", "secret": ""}
    times = {"created_at": now, "last_link_at": now, "deleted_at": now}
    if not standing.add(insert(Share), {"share_id": share_id, **nothing, **times}):
        return False
    was_there = any(store.objects(document_key(share_id)))
    _clear(share_id, now, store)
    return was_there


def _clear(share_id: str, claimed_at: datetime, store: ObjectStore) -> None:
    store.delete(document_key(share_id))
    mine = (Share.share_id == share_id) & (Share.deleted_at == claimed_at)
    db.session.execute(delete(Share).where(mine))
    db.session.commit()
