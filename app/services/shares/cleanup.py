"""Removes expired shares, and what shares left behind: for the operator, while the server is in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, insert, select

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.locks import advisory_lock
from app.db.models import Share
from app.services.shares.expiry import Expiry
from app.services.shares.live_share import LiveShare
from app.services.shares.object_cleanup import ObjectCleanup, is_named
from app.services.shares.share_ids import is_share_id
from app.services.shares.tombstones import mark_deleted
from app.storage import ObjectInfo, ObjectStore, is_temporary, objects_of, share_id_of

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
    """What may be swept: ids of shares without a document, and objects that no row names."""

    empty: list[str]
    objects: list[ObjectInfo]


class Cleanup:
    """Works on the rows in the database and the objects in `store`; `expiry` says what has expired.

    Every step checks again before it removes something, so any number of runs may go on beside each other and
    beside the server. Each raises StorageError; what was half done is finished by a later sweep.
    """

    def __init__(self, store: ObjectStore, expiry: Expiry, connection: AutocommitConnection) -> None:
        self._store = store
        self._expiry = expiry
        self._connection = connection
        self._objects = ObjectCleanup(store)

    def has_row(self, share_id: str) -> bool:
        """Whether the id is that of a share or of a tombstone."""
        return db.session.get(Share, share_id) is not None

    def expired(self) -> list[str]:
        """The ids of shares that have expired."""
        has_expired = self._expiry.has_passed(datetime.now(UTC))
        return list(db.session.scalars(select(Share.share_id).where(Share.deleted_at.is_(None), has_expired)))

    def purge(self, share_id: str) -> LiveShare | None:
        """Deletes an expired share and its objects; None if there is no such share any more."""
        return self._delete_if(share_id, self._expiry.has_passed(datetime.now(UTC)))

    def find_orphans(self, objects: Iterable[ObjectInfo], *, force: bool = False) -> Orphans:
        """What there is to sweep, given the listing of the store. Raises StoreMismatch, unless `force`."""
        now = datetime.now(UTC)
        stored: dict[str, list[ObjectInfo]] = defaultdict(list)
        for info in objects:
            if _is_ours(info.key):
                stored[share_id_of(info.key) or info.key].append(info)
        empty: list[str] = []
        orphaned: list[ObjectInfo] = []
        matches = 0
        # Asked after the listing: a share whose document is in it has its row.
        rows = select(Share).execution_options(yield_per=ROWS_PER_FETCH)
        for share in db.session.scalars(rows):
            found = stored.pop(share.share_id, [])
            if share.deleted_at:
                orphaned += found
                continue
            matches += bool(found)
            orphaned += [info for info in found if not is_named(share, info) and _is_old(info, now)]
            if not found and not share.pending_bytes and share.last_link_at < now - GRACE:
                empty.append(share.share_id)
        without_row = [info for found in stored.values() for info in found if _is_old(info, now)]
        if (empty or without_row) and not matches and not force:
            raise StoreMismatch
        return Orphans(empty, [*orphaned, *without_row])

    def sweep_empty(self, share_id: str) -> bool:
        """Deletes a share for which nothing was uploaded. Returns whether that was still so."""
        if objects_of(self._store, share_id):
            return False
        is_old = Share.last_link_at < datetime.now(UTC) - GRACE
        return self._delete_if(share_id, is_old & (Share.pending_bytes == 0)) is not None

    def sweep_object(self, info: ObjectInfo) -> bool:
        """Deletes an object, if no row names it and no other sweep is at it. Returns whether it did.

        The id of an object without a row was used before, by a share that a restored database does not know:
        a tombstone takes it.
        """
        with advisory_lock(info.key) as is_acquired:
            return is_acquired and self._sweep_object(info)

    def _sweep_object(self, info: ObjectInfo) -> bool:
        share_id = share_id_of(info.key)
        share = db.session.get(Share, share_id, populate_existing=True) if share_id else None
        if share is None:
            if share_id and not self._add_tombstone(share_id):
                return False
        elif share.deleted_at is None and is_named(share, info):
            return False
        if self._store.info(info.key) is None:
            return False
        self._store.delete(info.key)
        return True

    def _add_tombstone(self, share_id: str) -> bool:
        """Whether there was no row for the id."""
        now = datetime.now(UTC)
        cleared = {"share_id": share_id, "session_id": "", "secret": ""}
        times = {"created_at": now, "last_link_at": now, "deleted_at": now, "cleanup_at": now}
        return self._connection.insert_if_absent(insert(Share), {**cleared, **times})

    def _delete_if(self, share_id: str, condition: ColumnElement[bool]) -> LiveShare | None:
        deleted = mark_deleted(share_id, condition)
        if deleted:
            self._objects.run(share_id)
        return deleted


def _is_ours(key: str) -> bool:
    """Whether the app can have made the object; a bucket may hold others."""
    share_id = share_id_of(key)
    return is_share_id(share_id) if share_id else is_temporary(key)


def _is_old(info: ObjectInfo, now: datetime) -> bool:
    return info.modified_at < now - GRACE
