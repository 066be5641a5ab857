"""How many shares there are and how much they store, in all and by what they have in common."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import func, select

from app.db.extensions import db
from app.db.models import Share
from app.services.shares.inventory import ShareSummary


class Amount(msgspec.Struct):
    """A number of shares, and the bytes of their documents."""

    shares: int = 0
    bytes: int = 0


class Totals(msgspec.Struct, rename="camel"):
    """Numbers of shares and the bytes of all their documents.

    Amounts are by the way in (app.db.models), by the name of the creation token, for shares that were created
    with one, and by the month of creation in UTC, such as `2026-11`.
    """

    shares: int = 0
    expired: int = 0
    never_uploaded: int = 0
    deleted: int = 0
    bytes: int = 0
    largest_bytes: int = 0
    created_in_last_day: int = 0
    created_in_last_week: int = 0
    by_source: dict[str, Amount] = msgspec.field(default_factory=dict)
    by_token: dict[str, Amount] = msgspec.field(default_factory=dict)
    by_month: dict[str, Amount] = msgspec.field(default_factory=dict)


def totals(shares: Iterable[ShareSummary]) -> Totals:
    """The totals of `shares`, which come in the order of their creation, and of tombstones."""
    totals = Totals()
    now = datetime.now(UTC)
    for share in shares:
        age = now - share.created_at
        totals.shares += 1
        totals.expired += share.has_expired
        totals.never_uploaded += share.size is None
        totals.bytes += share.size or 0
        totals.largest_bytes = max(totals.largest_bytes, share.size or 0)
        totals.created_in_last_day += age < timedelta(days=1)
        totals.created_in_last_week += age < timedelta(weeks=1)
        _add(totals.by_source, share.source, share)
        _add(totals.by_month, share.created_at.strftime("%Y-%m"), share)
        if share.created_by:
            _add(totals.by_token, share.created_by, share)
    tombstones = select(func.count()).where(Share.deleted_at.is_not(None))
    totals.deleted = db.session.scalar(tombstones) or 0
    return totals


def _add(amounts: dict[str, Amount], name: str, share: ShareSummary) -> None:
    amount = amounts.setdefault(name, Amount())
    amount.shares += 1
    amount.bytes += share.size or 0
