"""Counts rate limits in the database, so that they are exact across workers without Redis."""

from __future__ import annotations

import time
from typing import NamedTuple

from flask import g
from limits.storage import Storage
from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.db.models import RateLimitCount
from app.services.container import parts

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
    RETURNING hits, expires_at
    """
)

CLOSED = delete(RateLimitCount).where(RateLimitCount.expires_at <= bindparam("now"))
WINDOW = select(RateLimitCount.hits, RateLimitCount.expires_at).where(RateLimitCount.key == bindparam("key"))


class Window(NamedTuple):
    hits: int
    expires_at: float


class DatabaseStorage(Storage):
    """Fixed windows in the app's own database; what `URI` selects."""

    STORAGE_SCHEME = ["database"]  # noqa: RUF012 - the base class declares an instance attribute

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        values = {"key": key, "amount": amount, "now": now, "expires_at": now + expiry}
        window = Window._make(parts().standing.execute(COUNT, values).one())
        if window.hits == amount:
            # A window opens rarely enough to pay for sweeping those that have closed.
            parts().standing.execute(CLOSED, {"now": now})
        self._counted()[key] = window
        return window.hits

    def get(self, key: str) -> int:
        window = self._window(key)
        return window.hits if window and window.expires_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        window = self._window(key)
        return window.expires_at if window else time.time()

    def check(self) -> bool:
        try:
            parts().standing.execute(select(1), {})
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int:
        self._counted().clear()
        return parts().standing.execute(delete(RateLimitCount), {}).rowcount

    def clear(self, key: str) -> None:
        self._counted().pop(key, None)
        parts().standing.execute(delete(RateLimitCount).where(RateLimitCount.key == key), {})

    def _window(self, key: str) -> Window | None:
        """The window of a key; what this request has just counted is not asked for again."""
        if key in self._counted():
            return self._counted()[key]
        row = parts().standing.first(WINDOW, {"key": key})
        return Window(*row) if row else None

    def _counted(self) -> dict[str, Window]:
        counted: dict[str, Window] = g.setdefault("counted_windows", {})
        return counted
