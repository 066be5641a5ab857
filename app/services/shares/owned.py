"""The shares of a member, or of all for admins: searched and sorted in the database, page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.db.extensions import db
from app.db.models import Share
from app.services.access.audiences import Audiences
from app.services.shares.expiry import Expiry
from app.services.shares.inventory import is_named
from app.services.shares.share_ids import is_share_id
from app.storage import ObjectStore, StorageError, objects_of
from config import Audience

SHARES_PER_PAGE = 25
MAX_SEARCH_CHARACTERS = 100
# For what only the store knows, which answers slowly and to many at once.
PARALLEL_SIZES = 8

LAST_CHANGE = func.coalesce(Share.synced_at, Share.last_link_at)


class Sort(NamedTuple):
    """An order by an expression, and then by id."""

    expression: ColumnElement[Any]
    is_descending: bool


SORTS = {
    "created": Sort(Share.created_at.expression, True),
    "changed": Sort(LAST_CHANGE, True),
    "views": Sort(Share.views.expression, True),
    "title": Sort(func.lower(func.coalesce(Share.custom_title, Share.title, "")), False),
}
DEFAULT_SORT = "created"


@dataclass(frozen=True)
class OwnedShare:
    """A share as its owner sees it.

    `title` is that of the session, empty before it was read, and `custom_title` the owner's. `size` is in
    bytes, None if nothing was uploaded or the store does not answer.
    """

    share_id: str
    title: str
    custom_title: str
    project: str
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None
    has_expired: bool
    audience: Audience
    token: str | None
    member_id: str | None
    size: int | None
    views: int


class OwnedPage(NamedTuple):
    """Some shares, and the id after which the next page begins, if there is one."""

    shares: Sequence[OwnedShare]
    next_after: str | None


class OwnedShares:
    """Rows of shares that were not deleted, with what the rules of the server make of them."""

    def __init__(self, store: ObjectStore, expiry: Expiry, audiences: Audiences) -> None:
        self._store = store
        self._expiry = expiry
        self._audiences = audiences

    def page(
        self, member_id: str | None, *, search: str = "", sort: str = DEFAULT_SORT, after: str = ""
    ) -> OwnedPage:
        """A page of the shares of a member, None for those of all; it begins after the share with this id."""
        order = SORTS.get(sort, SORTS[DEFAULT_SORT])
        query = select(Share).where(*_of(member_id))
        if search:
            # PostgreSQL compares with no NUL.
            query = query.where(is_named(search[:MAX_SEARCH_CHARACTERS].replace("\0", "")))
        if is_share_id(after):
            query = query.where(_is_after(order, after))
        columns = (order.expression, Share.share_id)
        ordered = [column.desc() if order.is_descending else column.asc() for column in columns]
        rows = db.session.scalars(query.order_by(*ordered).limit(SHARES_PER_PAGE + 1)).all()
        shown = rows[:SHARES_PER_PAGE]
        return OwnedPage(self._describe(shown), shown[-1].share_id if len(rows) > len(shown) else None)

    def some(self, share_ids: Collection[str], member_id: str | None) -> Sequence[OwnedShare]:
        """Those of these shares that a member owns, None for any owner; the newest first."""
        ids = [id for id in share_ids if is_share_id(id)]
        query = select(Share).where(Share.share_id.in_(ids), *_of(member_id))
        return self._describe(db.session.scalars(query.order_by(Share.created_at.desc())).all())

    def _describe(self, rows: Sequence[Share]) -> Sequence[OwnedShare]:
        with ThreadPoolExecutor(PARALLEL_SIZES) as pool:
            sizes = pool.map(self._size, [row.share_id for row in rows], [_known_size(row) for row in rows])
        return [self._owned(row, size) for row, size in zip(rows, sizes, strict=True)]

    def _size(self, share_id: str, known: int | None) -> int | None:
        if known:
            return known
        try:
            return sum(info.size for info in objects_of(self._store, share_id)) or None
        except StorageError:
            return None

    def _owned(self, row: Share, size: int | None) -> OwnedShare:
        expires_at = self._expiry.of(row.created_at, row.expires_at)
        return OwnedShare(
            row.share_id,
            row.title or "",
            row.custom_title or "",
            row.project or "",
            row.created_at,
            row.synced_at or row.last_link_at,
            expires_at,
            expires_at is not None and expires_at <= datetime.now(UTC),
            self._audiences.of(row.audience),
            row.created_by,
            row.member,
            size,
            row.views,
        )


def _of(member_id: str | None) -> list[ColumnElement[bool]]:
    live = Share.deleted_at.is_(None)
    return [live] if member_id is None else [live, Share.member == member_id]


def _is_after(order: Sort, share_id: str) -> ColumnElement[bool]:
    """Condition: a row follows that of this share, which may have been deleted since."""
    value = db.session.scalar(select(order.expression).where(Share.share_id == share_id))
    expression, id = order.expression, Share.share_id
    if order.is_descending:
        return or_(expression < value, and_(expression == value, id < share_id))
    return or_(expression > value, and_(expression == value, id > share_id))


def _known_size(row: Share) -> int | None:
    """What was synced or committed; of an upload, only the store knows the size."""
    return row.document_bytes + row.pending_bytes if row.revision else None
