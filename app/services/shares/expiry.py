"""When shares expire: as their makers asked, and by the operator's maximum."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false

from app.db.models import Share


@dataclass(frozen=True)
class Expiry:
    """The rule of a server: no share grows older than `max_age`, also one made under another rule."""

    max_age: timedelta | None = None

    def of(self, created_at: datetime, asked: datetime | None) -> datetime | None:
        """When a share expires that was asked to last until `asked`; None for never."""
        ends = (asked, self.max_age and created_at + self.max_age)
        return min((end for end in ends if end), default=None)

    def has_passed(self, now: datetime) -> ColumnElement[bool]:
        """What holds for the rows of shares that have expired."""
        too_old = Share.created_at <= now - self.max_age if self.max_age else false()
        return (Share.expires_at <= now) | too_old
