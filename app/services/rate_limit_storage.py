"""Where rate limits are counted: in the app's database, or in Redis with the database as fallback.

`limits` has no SQL storage. Flask-Limiter selects a storage by URI; importing this module registers both.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from flask import g
from limits.storage import MemoryStorage, Storage, storage_from_string
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError
from redis.retry import Retry
from sqlalchemy import bindparam, delete, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.db.errors import is_disk_full
from app.db.models import RateLimitCount
from app.http import metrics
from app.services.container import services

DATABASE_URI = "database://"
FALLBACK_URI = "fallback://"
# How long Redis may take to answer, and for how long it is left alone once it did not.
ANSWER_SECONDS = 2
RETRY_SECONDS = 5

# By how much the clocks of hosts may differ, with how long a request may wait between reading its clock and
# counting. A window that ends later than that after one that begins now was opened while a clock was ahead.
CLOCK_TOLERANCE_SECONDS = 60
IS_OVER = "rate_limit_counts.expires_at <= :now OR rate_limit_counts.expires_at > :now + :longest"
# One statement, so that the database serialises workers that count the same key; both dialects read it.
COUNT = text(
    """
    INSERT INTO rate_limit_counts (key, hits, expires_at) VALUES (:key, :amount, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN {is_over} THEN excluded.hits ELSE rate_limit_counts.hits + excluded.hits END,
        expires_at = CASE WHEN {is_over} THEN excluded.expires_at ELSE rate_limit_counts.expires_at END
    RETURNING hits, expires_at
    """.replace("{is_over}", IS_OVER)
)
DELETE_CLOSED = delete(RateLimitCount).where(RateLimitCount.expires_at <= bindparam("now"))
WINDOW = select(RateLimitCount.hits, RateLimitCount.expires_at).where(RateLimitCount.key == bindparam("key"))

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Window(NamedTuple):
    """One key's count; `expires_at` in epoch seconds."""

    hits: int
    expires_at: float


class DatabaseStorage(Storage):
    """Counts fixed windows in the app's database, exactly across workers and hosts."""

    STORAGE_SCHEME = ["database"]  # noqa: RUF012 - the base class declares an instance attribute

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._memory = MemoryStorage()

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        values = {
            "key": key,
            "amount": amount,
            "now": now,
            "expires_at": now + expiry,
            "longest": expiry + CLOCK_TOLERANCE_SECONDS,
        }
        try:
            window = Window._make(services().counters.execute(COUNT, values).one())
        except OperationalError as error:
            if not is_disk_full(error):
                raise
            # Each worker for itself: a share must be deletable on a full disk.
            return self._memory.incr(key, expiry, amount)
        if window.hits == amount:
            # Windows open rarely enough to pay for deleting those that have closed.
            services().counters.execute(DELETE_CLOSED, {"now": now})
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
            services().counters.execute(select(1), {})
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int:
        self._counted().clear()
        return services().counters.execute(delete(RateLimitCount), {}).rowcount

    def clear(self, key: str) -> None:
        self._counted().pop(key, None)
        services().counters.execute(delete(RateLimitCount).where(RateLimitCount.key == key), {})

    def _window(self, key: str) -> Window | None:
        """The window of a key. Flask-Limiter asks again for what it has just counted; that costs no query."""
        if key in self._counted():
            return self._counted()[key]
        row = services().counters.first(WINDOW, {"key": key})
        return Window(*row) if row else None

    def _counted(self) -> dict[str, Window]:
        """The windows that this request has counted."""
        counted: dict[str, Window] = g.setdefault("counted_windows", {})
        return counted


class FallbackStorage(Storage):
    """Counts in the storage at the URI `main`, and in the database while that cannot be reached.

    The database is shared by all workers: counts start anew there and stay exact. Each worker tries `main`
    again every RETRY_SECONDS, so for that long workers may count apart once `main` is back.
    """

    STORAGE_SCHEME = ["fallback"]  # noqa: RUF012 - the base class declares an instance attribute

    def __init__(self, uri: str, wrap_exceptions: bool = False, *, main: str) -> None:
        super().__init__(uri, wrap_exceptions)
        self._main = cast(Storage, storage_from_string(main, **_options(main)))
        self._database = DatabaseStorage()
        self._is_down = False
        self._retry_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._call(lambda storage: storage.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        return self._call(lambda storage: storage.get(key))

    def get_expiry(self, key: str) -> float:
        return self._call(lambda storage: storage.get_expiry(key))

    def check(self) -> bool:
        return self._call(lambda storage: storage.check())

    def reset(self) -> int | None:
        return self._call(lambda storage: storage.reset())

    def clear(self, key: str) -> None:
        self._call(lambda storage: storage.clear(key))

    def _call(self, method: Callable[[Storage], T]) -> T:
        if time.monotonic() >= self._retry_at:
            try:
                result = method(self._main)
            except self._main.base_exceptions as error:
                self._mark_down(type(error).__name__)
            else:
                self._mark_up()
                return result
        return method(self._database)

    def _mark_down(self, reason: str) -> None:
        if not self._is_down:
            logger.warning("rate limits are counted in the database: their storage failed (%s)", reason)
            metrics.report_fallback(True)
        self._is_down = True
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _mark_up(self) -> None:
        if self._is_down:
            logger.warning("rate limits are counted in their own storage again")
            metrics.report_fallback(False)
        self._is_down = False


def _options(uri: str) -> dict[str, Any]:
    """Timeouts for Redis, so that requests do not wait for one that is gone.

    The one retry is for connections that Redis has closed. A request that was answered late is not repeated,
    because it may have been counted.
    """
    if not urlsplit(uri).scheme.startswith("redis"):
        return {}
    timeouts = {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": ANSWER_SECONDS}
    return {**timeouts, "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))}
