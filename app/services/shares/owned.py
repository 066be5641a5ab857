"""The shares of a member, or of all for admins: searched and sorted in the database, page by page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from itsdangerous import BadData
from sqlalchemy import ColumnElement, and_, case, func, or_, select

from app.db.extensions import db
from app.db.models import Share
from app.services.access.audiences import Audiences
from app.services.members.signing_key import Signing
from app.services.shares.expiry import Expiry
from app.services.shares.inventory import is_named
from app.services.shares.share_ids import is_share_id
from config import Audience

SHARES_PER_PAGE = 25
MAX_SEARCH_CHARACTERS = 100
SALT = "page of shares"

# In bytes of JSON; of an upload that was not committed, only its reader knows them. NULL sorts as nothing.
SIZE = case((Share.revision > 0, Share.document_bytes + Share.pending_bytes), else_=Share.upload_bytes)
LAST_CHANGE = func.coalesce(Share.synced_at, Share.last_link_at)


class Sort(NamedTuple):
    """An order by an expression, and then by id."""

    expression: ColumnElement[Any]
    is_descending: bool


SORTS = {
    "created": Sort(Share.created_at.expression, True),
    "changed": Sort(LAST_CHANGE, True),
    "size": Sort(func.coalesce(SIZE, 0), True),
    "views": Sort(Share.views.expression, True),
    "title": Sort(func.lower(func.coalesce(Share.custom_title, Share.title, "")), False),
}
DEFAULT_SORT = "created"


@dataclass(frozen=True)
class OwnedShare:
    """A share as its owner sees it.

    `title` is that of the session, empty before it was read, and `custom_title` the owner's. `size` is in
    bytes of JSON, None before an upload was read.
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
    """Some shares, and where the next page begins, if there is one."""

    shares: Sequence[OwnedShare]
    next_after: str | None


class OwnedShares:
    """Rows of shares that were not deleted, with what the rules of the server make of them."""

    def __init__(self, expiry: Expiry, audiences: Audiences, signing: Signing) -> None:
        self._expiry = expiry
        self._audiences = audiences
        self._signing = signing

    def page(
        self, member_id: str | None, *, search: str = "", sort: str = DEFAULT_SORT, after: str = ""
    ) -> OwnedPage:
        """The page of shares of a member, None for all, that follows the page with this `next_after`."""
        order = SORTS.get(sort, SORTS[DEFAULT_SORT])
        query = select(Share, SIZE, order.expression).where(*_of(member_id))
        if search:
            # PostgreSQL compares with no NUL.
            query = query.where(is_named(search[:MAX_SEARCH_CHARACTERS].replace("\0", "")))
        if cursor := self._read_cursor(order, after):
            query = query.where(_is_after(order, *cursor))
        columns = (order.expression, Share.share_id)
        ordered = [column.desc() if order.is_descending else column.asc() for column in columns]
        rows = db.session.execute(query.order_by(*ordered).limit(SHARES_PER_PAGE + 1)).all()
        shares = [self._owned(row, size) for row, size, _ in rows[:SHARES_PER_PAGE]]
        if len(rows) <= SHARES_PER_PAGE:
            return OwnedPage(shares, None)
        _, _, value = rows[SHARES_PER_PAGE - 1]
        cursor = msgspec.to_builtins((value, shares[-1].share_id))
        return OwnedPage(shares, str(self._signing.serializer(SALT).dumps(cursor)))

    def some(self, share_ids: Collection[str], member_id: str | None) -> Sequence[OwnedShare]:
        """Those of these shares that a member owns, None for any owner; the newest first."""
        ids = [id for id in share_ids if is_share_id(id)]
        query = select(Share, SIZE).where(Share.share_id.in_(ids), *_of(member_id))
        rows = db.session.execute(query.order_by(Share.created_at.desc()))
        return [self._owned(row, size) for row, size in rows]

    def _read_cursor(self, order: Sort, after: str) -> tuple[Any, str] | None:
        """The value and the id of the last share of the page before, as they were then."""
        try:
            value, share_id = self._signing.serializer(SALT).loads(after)
            return msgspec.convert(value, order.expression.type.python_type), share_id
        except (BadData, msgspec.ValidationError):
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


def _is_after(order: Sort, value: Any, share_id: str) -> ColumnElement[bool]:
    """Condition: a row follows one with this value and id, which may have changed or been deleted since."""
    expression, id = order.expression, Share.share_id
    if order.is_descending:
        return or_(expression < value, and_(expression == value, id < share_id))
    return or_(expression > value, and_(expression == value, id > share_id))
