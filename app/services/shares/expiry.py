"""When shares expire: as their authors asked, and by the operator's maximum age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false

from app.db.models import Share


@dataclass(frozen=True)
class Expiry:
    """The rule of a server: no share grows older than `max_age`, also one created under another rule."""

    max_age: timedelta | None = None

    def of(self, created_at: datetime, requested: datetime | None) -> datetime | None:
        """When a share expires whose author asked for `requested`; None for never."""
        limits = (requested, self.max_age and created_at + self.max_age)
        return min((limit for limit in limits if limit), default=None)

    def has_passed(self, now: datetime) -> ColumnElement[bool]:
        """Condition on the row of a share: it has expired."""
        too_old = Share.created_at <= now - self.max_age if self.max_age else false()
        return (Share.expires_at <= now) | too_old
