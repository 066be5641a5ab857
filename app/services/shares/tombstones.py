"""Tombstones: the rows of deleted shares. They stay, so that no id is ever given twice."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, update

from app.db.extensions import db
from app.db.models import Share, ShareEvent, ShareReader
from app.services.shares.live_share import LiveShare


def mark_deleted(share_id: str, *conditions: ColumnElement[bool]) -> LiveShare | None:
    """Turns a live share that meets the conditions into a tombstone. Returns the share as it was, if any.

    Its id and the hash of its secret stay, and nothing else that tells whose it was. Its objects are left to
    `ObjectCleanup`.
    """
    now = datetime.now(UTC)
    is_live = (Share.share_id == share_id) & Share.deleted_at.is_(None)
    deleted = (
        update(Share)
        .where(is_live, *conditions)
        .values(deleted_at=now, cleanup_at=now, session_id="", expires_at=None, created_by=None)
        .values(title=None, project=None, upload_bytes=None, custom_title=None, member=None, views=0)
        .values(audience=None, password=None)
        .values(pending_bytes=0, checkpoint=None, synced_at=None)
        .values(removal_secret=None, plugin_missing_at=None)
        .returning(Share.share_id, Share.created_at, Share.last_link_at)
    )
    row = db.session.execute(deleted).first()
    if row:
        db.session.execute(delete(ShareEvent).where(ShareEvent.share_id == share_id))
        db.session.execute(delete(ShareReader).where(ShareReader.share_id == share_id))
    db.session.commit()
    return LiveShare.from_row(*row) if row else None
