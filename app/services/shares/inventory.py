"""What shares there are and what they take, for the operator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, func, select

from app.db.extensions import db
from app.db.models import Share
from app.services.shares.expiry import Expiry
from app.storage import Listed, share_of

ROWS = 1000


@dataclass(frozen=True)
class Entry:
    """A share that was not deleted; `size` in bytes and `uploaded_at` are None where nothing was uploaded.

    Batches of OpenCode's own protocol that wait to be stored count as well.
    """

    share_id: str
    session_id: str
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    has_expired: bool
    size: int | None
    uploaded_at: datetime | None


@dataclass(frozen=True)
class Wanted:
    """Which shares; what is None does not matter. Ages count from the creation, sizes are in bytes."""

    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    larger_than: int | None = None
    never_uploaded: bool = False
    expired: bool = False
    created_by: str | None = None

    def conditions(self, now: datetime) -> Iterator[ColumnElement[bool]]:
        """What the database can tell."""
        if self.older_than is not None:
            yield Share.created_at < now - self.older_than
        if self.newer_than is not None:
            yield Share.created_at > now - self.newer_than
        if self.created_by is not None:
            yield Share.created_by == self.created_by

    def takes(self, entry: Entry) -> bool:
        """What only the whole entry tells."""
        return (
            (self.larger_than is None or (entry.size or 0) > self.larger_than)
            and (not self.never_uploaded or entry.size is None)
            and (not self.expired or entry.has_expired)
        )


EVERYTHING = Wanted()


class Totals(msgspec.Struct, rename="camel"):
    """Numbers of shares, also by the names of tokens, and the bytes of all their documents."""

    shares: int = 0
    expired: int = 0
    never_uploaded: int = 0
    deleted: int = 0
    bytes: int = 0
    largest_bytes: int = 0
    created_in_last_day: int = 0
    created_in_last_week: int = 0
    created_by: dict[str, int] = msgspec.field(default_factory=dict)


class Inventory:
    """The rows in the database beside a listing of the store."""

    def __init__(self, expiry: Expiry) -> None:
        self._expiry = expiry

    def entries(self, objects: Iterable[Listed], wanted: Wanted = EVERYTHING) -> Iterator[Entry]:
        """The shares that are wanted, oldest first."""
        stored = {share_of(found.key): found for found in objects}
        now = datetime.now(UTC)
        rows = select(Share).where(Share.deleted_at.is_(None), *wanted.conditions(now))
        ordered = rows.order_by(Share.created_at, Share.share_id).execution_options(yield_per=ROWS)
        for share in db.session.scalars(ordered):
            entry = self._entry(share, stored.get(share.share_id), now)
            if wanted.takes(entry):
                yield entry

    def entry(self, share_id: str, objects: Iterable[Listed]) -> Entry | None:
        """The share with this id; None for deleted and unknown ones."""
        share = db.session.scalar(select(Share).where(Share.share_id == share_id, Share.deleted_at.is_(None)))
        stored = next((found for found in objects if share_of(found.key) == share_id), None)
        return self._entry(share, stored, datetime.now(UTC)) if share else None

    def totals(self, objects: Iterable[Listed]) -> Totals:
        totals = Totals()
        now = datetime.now(UTC)
        for entry in self.entries(objects):
            age = now - entry.created_at
            totals.shares += 1
            totals.expired += entry.has_expired
            totals.never_uploaded += entry.size is None
            totals.bytes += entry.size or 0
            totals.largest_bytes = max(totals.largest_bytes, entry.size or 0)
            totals.created_in_last_day += age < timedelta(days=1)
            totals.created_in_last_week += age < timedelta(weeks=1)
            if entry.created_by:
                totals.created_by[entry.created_by] = totals.created_by.get(entry.created_by, 0) + 1
        tombstones = select(func.count()).where(Share.deleted_at.is_not(None))
        totals.deleted = db.session.scalar(tombstones) or 0
        return totals

    def _entry(self, share: Share, stored: Listed | None, now: datetime) -> Entry:
        expires_at = self._expiry.of(share.created_at, share.expires_at)
        return Entry(
            share.share_id,
            share.session_id,
            share.created_by,
            share.created_at,
            expires_at,
            expires_at is not None and expires_at <= now,
            (stored.size if stored else 0) + share.pending_bytes or None,
            stored.changed_at if stored else None,
        )
