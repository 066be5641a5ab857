"""The tables."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Double, LargeBinary, Text, TypeDecorator, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.extensions import Base

# The ways a share is made.
UPLOAD = "upload"
NATIVE = "native"


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

    `source` is the way it was made: UPLOAD, or NATIVE by OpenCode's own protocol. Of a native one `revision`
    numbers the last batch, `document_bytes` is the size of the stored document as JSON, and `pending_bytes`
    that of the batches which are not in it yet; together they weigh at most `weight` (app.session.weight).
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
    source: Mapped[str] = mapped_column(Text, server_default=UPLOAD)
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    document_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    pending_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    weight: Mapped[int] = mapped_column(BigInteger, server_default="0")


class ShareEvent(Base):
    """A batch of OpenCode's own protocol that the document of its share may lack.

    `number` is its place in the order of arrival, `items` a JSON list of `size` bytes, packed with zstd.
    """

    __tablename__ = "share_events"

    share_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    size: Mapped[int] = mapped_column(BigInteger)
    items: Mapped[bytes] = mapped_column(LargeBinary)


class RateLimitCount(Base):
    """How often a key was counted in its current window, which ends at `expires_at` (epoch seconds)."""

    __tablename__ = "rate_limit_counts"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[float] = mapped_column(Double, index=True)
