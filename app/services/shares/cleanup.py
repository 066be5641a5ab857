"""Clears away what expired, and what shares left behind: for the operator, while the server is in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, select

from app.db.connection import StandingConnection
from app.db.extensions import db
from app.db.models import Share
from app.services.shares.expiry import Expiry
from app.services.shares.live_share import Life
from app.services.shares.service import is_share_id
from app.services.shares.tombstones import bury, clear_stray, drop, may_go
from app.storage import Listed, ObjectStore, document_key, is_draft, share_of

# Younger than this, a share may still get its document, and an object may be on its way.
GRACE = timedelta(days=1)
ROWS = 1000


class NothingMatches(Exception):
    """The database and the store have nothing to do with each other."""

    def __init__(self) -> None:
        super().__init__(
            "No share in the database has its document in the store, so one of the two may be a wrong one."
        )


@dataclass(frozen=True)
class Leftovers:
    """What may be swept: ids of tombstones and of shares without a document, and objects without a share."""

    tombstones: list[str]
    empty: list[str]
    strays: list[Listed]


class Upkeep:
    """Works on the rows in the database and the documents in `store`; `expiry` says what has expired.

    Every step asks once more before it removes something, so any number of runs may go on beside each other
    and beside the server. Each raises StorageError; what was half done is finished by a later sweep.
    """

    def __init__(self, store: ObjectStore, expiry: Expiry, standing: StandingConnection) -> None:
        self._store = store
        self._expiry = expiry
        self._standing = standing

    def knows(self, share_id: str) -> bool:
        """Whether there is a share with this id, or was one so lately that nobody else may have the id."""
        return db.session.get(Share, share_id) is not None

    def expired(self) -> list[str]:
        """The ids of shares that have expired."""
        passed = self._expiry.has_passed(datetime.now(UTC))
        return list(db.session.scalars(select(Share.share_id).where(Share.deleted_at.is_(None), passed)))

    def purge(self, share_id: str) -> Life | None:
        """Ends an expired share and removes its document; None if there is no such share any more."""
        return self._end(share_id, self._expiry.has_passed(datetime.now(UTC)))

    def leftovers(self, objects: Iterable[Listed], *, is_sure: bool = False) -> Leftovers:
        """What there is to sweep, given the listing of the store. Raises NothingMatches, unless `is_sure`."""
        now = datetime.now(UTC)
        stored = {share_of(found.key) or found.key: found for found in objects if _is_ours(found.key)}
        empty = []
        matches = 0
        rows = select(Share.share_id, Share.last_link_at, Share.deleted_at, Share.pending_bytes)
        # Asked after the listing: a share whose document is in it has its row.
        for row in db.session.execute(rows.execution_options(yield_per=ROWS)):
            if stored.pop(row.share_id, None):
                matches += 1
            elif row.deleted_at is None and not row.pending_bytes and row.last_link_at < now - GRACE:
                empty.append(row.share_id)
        strays = [found for found in stored.values() if found.changed_at < now - GRACE]
        if (empty or strays) and not matches and not is_sure:
            raise NothingMatches
        tombstones = db.session.scalars(select(Share.share_id).where(may_go(now)))
        return Leftovers(list(tombstones), empty, strays)

    def sweep_tombstone(self, share_id: str) -> bool:
        """Frees the id of a deleted share, and removes what a late upload left; whether that was done."""
        return drop(share_id, self._store)

    def sweep_empty(self, share_id: str) -> bool:
        """Ends a share that nothing was uploaded for; whether it was still so."""
        if any(self._store.objects(document_key(share_id))):
            return False
        is_old = Share.last_link_at < datetime.now(UTC) - GRACE
        return self._end(share_id, is_old & (Share.pending_bytes == 0)) is not None

    def sweep_stray(self, stray: Listed) -> bool:
        """Removes an object that belongs to no share; whether it was still so."""
        share_id = share_of(stray.key)
        if share_id:
            return clear_stray(share_id, self._store, self._standing)
        was_there = any(self._store.objects(stray.key))
        self._store.delete(stray.key)
        return was_there

    def _end(self, share_id: str, condition: ColumnElement[bool]) -> Life | None:
        life = bury(share_id, condition)
        if life:
            self._store.delete(document_key(share_id))
        return life


def _is_ours(key: str) -> bool:
    """Whether the app can have made the object; a bucket may hold others."""
    share_id = share_of(key)
    return is_share_id(share_id) if share_id else is_draft(key)
