"""Which shares there are and how much they store, for the operator."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select

from app.db.extensions import db
from app.db.models import Share
from app.services.access.audiences import Audiences
from app.services.shares.expiry import Expiry
from app.storage import ObjectInfo, ObjectStore, objects_of, share_id_of

ROWS_PER_FETCH = 1000
IDS_PER_QUERY = 1000
NEVER = datetime.min.replace(tzinfo=UTC)


class ShareIds:
    """The ids of the shares that meet some conditions, in order, also while shares come and go."""

    def __init__(self, *conditions: ColumnElement[bool]) -> None:
        self._conditions = conditions

    def __len__(self) -> int:
        return db.session.scalar(select(func.count()).select_from(Share).where(*self._conditions)) or 0

    def __iter__(self) -> Iterator[str]:
        last_id = ""
        while ids := self._after(last_id):
            yield from ids
            last_id = ids[-1]

    def _after(self, last_id: str) -> Sequence[str]:
        query = select(Share.share_id).where(*self._conditions, Share.share_id > last_id)
        ids = db.session.scalars(query.order_by(Share.share_id).limit(IDS_PER_QUERY)).all()
        # No transaction is left open while something is done with each.
        db.session.rollback()
        return ids


@dataclass(frozen=True)
class ShareSummary:
    """A share that was not deleted, under the title that its author gave it, or else that of the session.

    `size` in bytes, of all its objects, and `uploaded_at` are None where nothing was uploaded. Sync batches
    that wait for a checkpoint count as well. `title` and `project` are None until the session was read.
    """

    share_id: str
    session_id: str
    source: str
    title: str | None
    project: str | None
    created_by: str | None
    audience: str
    created_at: datetime
    expires_at: datetime | None
    has_expired: bool
    size: int | None
    uploaded_at: datetime | None


@dataclass(frozen=True)
class ShareFilter:
    """Which shares to list; None means any. Ages count from the creation, sizes are in bytes.

    `search` is a part of the title or the project, in any case.
    """

    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    larger_than: int | None = None
    never_uploaded: bool = False
    expired: bool = False
    created_by: str | None = None
    search: str | None = None

    @property
    def needs_objects(self) -> bool:
        """Whether the database alone cannot decide."""
        return self.larger_than is not None or self.never_uploaded

    def conditions(self, now: datetime, expiry: Expiry) -> Iterator[ColumnElement[bool]]:
        """What the database can decide."""
        if self.older_than is not None:
            yield Share.created_at < now - self.older_than
        if self.newer_than is not None:
            yield Share.created_at > now - self.newer_than
        if self.expired:
            yield expiry.has_passed(now)
        if self.created_by is not None:
            yield Share.created_by == self.created_by
        if self.search is not None:
            yield is_named(self.search)

    def matches(self, share: ShareSummary) -> bool:
        """What only the row and the objects together decide."""
        return (self.larger_than is None or (share.size or 0) > self.larger_than) and (
            not self.never_uploaded or share.size is None
        )


class Order(NamedTuple):
    """An order of shares: by columns, or else by `key`, the largest first."""

    columns: tuple[ColumnElement[Any], ...] = ()
    key: Callable[[ShareSummary], Any] | None = None


def is_named(text: str) -> ColumnElement[bool]:
    """Condition on the row of a share: this is a part of its titles or its project, in any case."""
    columns = (Share.custom_title, Share.title, Share.project)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


ANY = ShareFilter()
OLDEST_FIRST = Order((Share.created_at.asc(), Share.share_id.asc()))
ORDERS = {
    "created": Order((Share.created_at.desc(), Share.share_id.desc())),
    "size": Order(key=lambda share: share.size or 0),
    "title": Order((func.coalesce(Share.custom_title, Share.title).asc().nulls_last(), Share.share_id.asc())),
    "uploaded": Order(key=lambda share: share.uploaded_at or NEVER),
}


class Page(NamedTuple):
    """The first of the shares that match, and how many more there are."""

    shares: Sequence[ShareSummary]
    more: int


class Inventory:
    """Joins the rows in the database with the objects of the store."""

    def __init__(self, store: ObjectStore, expiry: Expiry, audiences: Audiences) -> None:
        self._store = store
        self._expiry = expiry
        self._audiences = audiences

    def list(
        self, objects: Iterable[ObjectInfo], filter: ShareFilter = ANY, order: Order = OLDEST_FIRST
    ) -> Iterator[ShareSummary]:
        """The shares that match the filter, given the objects of all shares.

        Rows are read in batches, unless the order needs all shares at once.
        """
        matching = self._matching(objects, filter, order)
        return iter(sorted(matching, key=order.key, reverse=True)) if order.key else matching

    def first(
        self,
        limit: int,
        objects: Iterable[ObjectInfo],
        filter: ShareFilter = ANY,
        order: Order = OLDEST_FIRST,
    ) -> Page:
        """As `list`, but at most `limit` shares; the listing `objects` is only read where it is needed."""
        if filter.needs_objects or order.key:
            return _first(limit, self._matching(objects, filter, order), order)
        now = datetime.now(UTC)
        rows = self._rows(filter, order, now)
        total = db.session.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) or 0
        shares = [
            self._summary(row, objects_of(self._store, row.share_id), now)
            for row in db.session.scalars(rows.limit(limit))
        ]
        return Page(shares, total - len(shares))

    def get(self, share_id: str) -> ShareSummary | None:
        """The share with this id; None for deleted and unknown ids."""
        row = db.session.scalar(select(Share).where(Share.share_id == share_id, Share.deleted_at.is_(None)))
        return self._summary(row, objects_of(self._store, share_id), datetime.now(UTC)) if row else None

    def _matching(
        self, objects: Iterable[ObjectInfo], filter: ShareFilter, order: Order
    ) -> Iterator[ShareSummary]:
        stored = defaultdict(list)
        for info in objects:
            stored[share_id_of(info.key)].append(info)
        now = datetime.now(UTC)
        rows = self._rows(filter, order, now).execution_options(yield_per=ROWS_PER_FETCH)
        for row in db.session.scalars(rows):
            share = self._summary(row, stored.get(row.share_id, ()), now)
            if filter.matches(share):
                yield share

    def _rows(self, filter: ShareFilter, order: Order, now: datetime) -> Select[Share]:
        conditions = filter.conditions(now, self._expiry)
        columns = order.columns or OLDEST_FIRST.columns
        return select(Share).where(Share.deleted_at.is_(None), *conditions).order_by(*columns)

    def _summary(self, row: Share, stored: Sequence[ObjectInfo], now: datetime) -> ShareSummary:
        expires_at = self._expiry.of(row.created_at, row.expires_at)
        return ShareSummary(
            row.share_id,
            row.session_id,
            row.source,
            row.custom_title or row.title,
            row.project,
            row.created_by,
            self._audiences.of(row.audience),
            row.created_at,
            expires_at,
            expires_at is not None and expires_at <= now,
            sum(info.size for info in stored) + row.pending_bytes or None,
            max((info.modified_at for info in stored), default=None),
        )


def _first(limit: int, shares: Iterator[ShareSummary], order: Order) -> Page:
    total = 0

    def counted() -> Iterator[ShareSummary]:
        nonlocal total
        for total, share in enumerate(shares, start=1):  # noqa: B007 - read below
            yield share

    if order.key:
        first = heapq.nlargest(limit, counted(), key=order.key)
    else:
        everything = counted()
        first = list(islice(everything, limit))
        deque(everything, maxlen=0)
    return Page(first, total - len(first))
