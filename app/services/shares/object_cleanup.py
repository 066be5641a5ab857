"""Deletes the objects in the store that no row names: of deleted shares, and superseded checkpoints.

Of a deleted share, nothing stays in the files of SQLite either.

A PUT that began before a delete may end after it, and one that was given up may be applied later. So the
store is looked through again: `shares.cleanup_at` says when.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from app.db.extensions import db
from app.db.models import Share
from app.db.write_ahead_log import truncate_log
from app.storage import (
    ObjectInfo,
    ObjectStore,
    StorageError,
    delete_objects,
    document_key,
    object_key,
    objects_of,
    revision_of_checkpoint,
)

# When a deleted share is looked through again, counted from the delete: an upload link lives for an hour, and
# a slow upload may end long after its link.
ROUNDS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=20),
    timedelta(minutes=75),
    timedelta(days=1),
)
# A reader that saw the row a moment ago may still read the checkpoint that it named, and a PUT that was given
# up may still be applied.
GRACE = timedelta(hours=1)
RETRY = timedelta(seconds=30)
ROWS_PER_ROUND = 100

logger = logging.getLogger(__name__)


class ObjectCleanup:
    """Works on the objects in `store`. Any number of processes may do the same at the same time."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def due(self) -> list[str]:
        """The ids of shares whose objects are to be looked through now, at most ROWS_PER_ROUND."""
        query = select(Share.share_id).where(Share.cleanup_at <= datetime.now(UTC))
        return list(db.session.scalars(query.order_by(Share.cleanup_at).limit(ROWS_PER_ROUND)))

    def run(self, share_id: str) -> None:
        """Deletes what the row of a share does not name, and schedules the next time.

        If the store fails, the next time is soon, and StorageError is raised.
        """
        share = db.session.get(Share, share_id, populate_existing=True)
        if share is None:
            return
        due_at, next_at = share.cleanup_at, datetime.now(UTC) + RETRY
        # What follows may take seconds; no transaction is left open meanwhile.
        db.session.expunge(share)
        db.session.rollback()
        try:
            next_at_or_never = self._clean(share)
        except StorageError:
            self._schedule(share_id, due_at, next_at)
            raise
        self._schedule(share_id, due_at, next_at_or_never)

    def run_or_log(self, share_id: str) -> None:
        """As `run`, for a caller to whom a failing store is no failure: it is tried again soon."""
        try:
            self.run(share_id)
        except StorageError as error:
            logger.warning("objects of share %s stay in the store for now: %s", share_id, error)

    def delete_before(self, share_id: str, revision: int) -> None:
        """Deletes what the row of a share does not name and a revision has replaced, at once.

        That includes a copy. A checkpoint of a later revision may be about to be named. Raises StorageError.
        """
        share = db.session.get(Share, share_id, populate_existing=True)
        if share is None:
            return
        named = named_keys(share)
        db.session.rollback()
        for info in objects_of(self._store, share_id):
            if info.key not in named and (revision_of_checkpoint(info.key) or 0) <= revision:
                self._store.delete(info.key)

    def _clean(self, share: Share) -> datetime | None:
        if share.deleted_at:
            self._clear_description(share)
            delete_objects(self._store, share.share_id)
            is_log_empty = truncate_log(db.engine)
            return _next_round(share.deleted_at) if is_log_empty else datetime.now(UTC) + RETRY
        oldest = None
        for info in objects_of(self._store, share.share_id):
            if is_named(share, info):
                continue
            if info.modified_at < datetime.now(UTC) - GRACE:
                self._store.delete(info.key)
            else:
                oldest = min(oldest or info.modified_at, info.modified_at)
        return oldest and oldest + GRACE

    def _clear_description(self, share: Share) -> None:
        """For a share that a release before 0006_titles deleted, beside a newer one."""
        if share.title is not None:
            is_deleted = (Share.share_id == share.share_id) & Share.deleted_at.is_not(None)
            db.session.execute(update(Share).where(is_deleted).values(title=None, project=None))
            db.session.commit()

    def _schedule(self, share_id: str, due_at: datetime | None, next_at: datetime | None) -> None:
        """Sets the next time, unless somebody else has set another one meanwhile."""
        is_unchanged = (Share.share_id == share_id) & (Share.cleanup_at == due_at)
        db.session.execute(update(Share).where(is_unchanged).values(cleanup_at=next_at))
        db.session.commit()


def named_keys(share: Share | Row[Any]) -> list[str]:
    """The keys of the objects that the row of a share names, the one that is read first.

    These are the checkpoint, and the document as long as a link to it is newer than what was committed last.
    """
    document = document_key(share.share_id)
    if not share.checkpoint:
        return [document]
    checkpoint = object_key(share.share_id, share.checkpoint)
    is_document_newer = share.synced_at is None or share.last_link_at > share.synced_at
    return [checkpoint, document] if is_document_newer else [checkpoint]


def is_named(share: Share, info: ObjectInfo) -> bool:
    """Whether the row of a share names an object, as what is read or as a copy of it."""
    is_copy = info.key == document_key(share.share_id) and info.etag == share.copy_etag
    return is_copy or info.key in named_keys(share)


def _next_round(deleted_at: datetime) -> datetime | None:
    now = datetime.now(UTC)
    return next((deleted_at + round for round in ROUNDS if deleted_at + round > now), None)
