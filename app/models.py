"""The tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Double, Text, TypeDecorator, func, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, db


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on every database; SQLite gives times back without their zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


class Share(Base):
    """A link to one session.

    `secret` holds the SHA-256 of the secret. A deleted share stays as a tombstone (`deleted_at` set, no
    session id) until the last upload link issued for it, at `last_link_at`, can no longer be used.
    `expires_at` is what was asked for when the share was made; `created_by` is the name of the token used.
    """

    __tablename__ = "shares"

    share_id: Mapped[str] = mapped_column(Text, primary_key=True)
    session_id: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=func.now())
    last_link_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @staticmethod
    def add(row: dict[str, Any]) -> bool:
        """Whether the row went in; the primary key alone decides between two that come at once."""
        try:
            db.session.execute(insert(Share).values(row))
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
            return False
        return True


class RateLimitCount(Base):
    """How often a key was counted in its current window, which ends at `expires_at` (epoch seconds)."""

    __tablename__ = "rate_limit_counts"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[float] = mapped_column(Double, index=True)
