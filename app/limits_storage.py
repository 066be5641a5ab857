"""Counts rate limits in the database, so that they are exact across workers without Redis."""

from __future__ import annotations

import time
from typing import Any

from limits.storage import Storage
from sqlalchemy import Executable, delete, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.models import RateLimitCount

URI = "database://"

# One statement, so that the database serialises workers that count the same key; both dialects read it.
COUNT = text(
    """
    INSERT INTO rate_limit_counts (key, hits, expires_at) VALUES (:key, :amount, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN rate_limit_counts.expires_at <= :now THEN excluded.hits
               ELSE rate_limit_counts.hits + excluded.hits END,
        expires_at = CASE WHEN rate_limit_counts.expires_at <= :now THEN excluded.expires_at
                     ELSE rate_limit_counts.expires_at END
    RETURNING hits
    """
)


class DatabaseStorage(Storage):
    """Fixed windows in the app's own database; what `URI` selects."""

    STORAGE_SCHEME = ["database"]  # noqa: RUF012 - the base class declares an instance attribute

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        values = {"key": key, "amount": amount, "now": now, "expires_at": now + expiry}
        hits = int(self._run(COUNT, values))
        if hits == amount:
            # A window opens rarely enough to pay for sweeping those that have closed.
            self._run(delete(RateLimitCount).where(RateLimitCount.expires_at <= now))
        return hits

    def get(self, key: str) -> int:
        live = (RateLimitCount.key == key) & (RateLimitCount.expires_at > time.time())
        return int(self._run(select(RateLimitCount.hits).where(live)) or 0)

    def get_expiry(self, key: str) -> float:
        found = self._run(select(RateLimitCount.expires_at).where(RateLimitCount.key == key))
        return float(found or time.time())

    def check(self) -> bool:
        try:
            self._run(select(1))
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int:
        return int(self._run(delete(RateLimitCount)))

    def clear(self, key: str) -> None:
        self._run(delete(RateLimitCount).where(RateLimitCount.key == key))

    def _run(self, statement: Executable, values: dict[str, Any] | None = None) -> Any:
        """The first value of the first row, or how many rows were touched when none come back."""
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            result = connection.execute(statement, values or {})
            return result.scalar() if result.returns_rows else result.rowcount
