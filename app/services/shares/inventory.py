"""Which shares there are and how much they store, for the operator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, func, select

from app.db.extensions import db
from app.db.models import Share
from app.services.shares.expiry import Expiry
from app.storage import ObjectInfo, share_id_of

ROWS_PER_FETCH = 1000


@dataclass(frozen=True)
class ShareSummary:
    """A share that was not deleted.

    `size` in bytes, of all its objects, and `uploaded_at` are None where nothing was uploaded. Sync batches
    that wait for a checkpoint count as well. `title` and `project` are None until the session was read.
    """

    share_id: str
    session_id: str
    title: str | None
    project: str | None
    created_by: str | None
    created_at: datetime
    expires_at: datetime | None
    has_expired: bool
    size: int | None
    uploaded_at: datetime | None


@dataclass(frozen=True)
class ShareFilter:
    """Which shares to list; None means any. Ages count from the creation, sizes are in bytes."""

    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    larger_than: int | None = None
    never_uploaded: bool = False
    expired: bool = False
    created_by: str | None = None

    def conditions(self, now: datetime) -> Iterator[ColumnElement[bool]]:
        """What the database can decide."""
        if self.older_than is not None:
            yield Share.created_at < now - self.older_than
        if self.newer_than is not None:
            yield Share.created_at > now - self.newer_than
        if self.created_by is not None:
            yield Share.created_by == self.created_by

    def matches(self, share: ShareSummary) -> bool:
        """What only the row and the object together decide."""
        return (
            (self.larger_than is None or (share.size or 0) > self.larger_than)
            and (not self.never_uploaded or share.size is None)
            and (not self.expired or share.has_expired)
        )


ANY = ShareFilter()


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
    """Joins the rows in the database with a listing of the store."""

    def __init__(self, expiry: Expiry) -> None:
        self._expiry = expiry

    def list(self, objects: Iterable[ObjectInfo], filter: ShareFilter = ANY) -> Iterator[ShareSummary]:
        """The shares that match the filter, oldest first."""
        stored = defaultdict(list)
        for info in objects:
            stored[share_id_of(info.key)].append(info)
        now = datetime.now(UTC)
        rows = select(Share).where(Share.deleted_at.is_(None), *filter.conditions(now))
        ordered = rows.order_by(Share.created_at, Share.share_id)
        for row in db.session.scalars(ordered.execution_options(yield_per=ROWS_PER_FETCH)):
            share = self._summary(row, stored[row.share_id], now)
            if filter.matches(share):
                yield share

    def get(self, share_id: str, objects: Iterable[ObjectInfo]) -> ShareSummary | None:
        """The share with this id, given its objects; None for deleted and unknown ids."""
        row = db.session.scalar(select(Share).where(Share.share_id == share_id, Share.deleted_at.is_(None)))
        return self._summary(row, list(objects), datetime.now(UTC)) if row else None

    def totals(self, objects: Iterable[ObjectInfo]) -> Totals:
        totals = Totals()
        now = datetime.now(UTC)
        for share in self.list(objects):
            age = now - share.created_at
            totals.shares += 1
            totals.expired += share.has_expired
            totals.never_uploaded += share.size is None
            totals.bytes += share.size or 0
            totals.largest_bytes = max(totals.largest_bytes, share.size or 0)
            totals.created_in_last_day += age < timedelta(days=1)
            totals.created_in_last_week += age < timedelta(weeks=1)
            if share.created_by:
                totals.created_by[share.created_by] = totals.created_by.get(share.created_by, 0) + 1
        tombstones = select(func.count()).where(Share.deleted_at.is_not(None))
        totals.deleted = db.session.scalar(tombstones) or 0
        return totals

    def _summary(self, row: Share, stored: Sequence[ObjectInfo], now: datetime) -> ShareSummary:
        expires_at = self._expiry.of(row.created_at, row.expires_at)
        return ShareSummary(
            row.share_id,
            row.session_id,
            row.title,
            row.project,
            row.created_by,
            row.created_at,
            expires_at,
            expires_at is not None and expires_at <= now,
            sum(info.size for info in stored) + row.pending_bytes or None,
            max((info.modified_at for info in stored), default=None),
        )
