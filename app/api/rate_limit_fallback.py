"""Counts rate limits where the operator says, and in the database for as long as that is out of reach."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from limits.storage import Storage, storage_from_string
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError
from redis.retry import Retry
from sqlalchemy.exc import SQLAlchemyError

from app.api.rate_limit_storage import DatabaseStorage

URI = "fallback://"
# How long Redis may take to answer, and how long it is left alone once it did not.
ANSWER_SECONDS = 2
RETRY_SECONDS = 5

logger = logging.getLogger(__name__)
T = TypeVar("T")


class FallbackStorage(Storage):
    """Counts in the storage at the address `main`; what `URI` selects.

    When that fails every worker counts in the app's database instead, which all of them share: limits start
    anew there and stay exact. Each looks again every RETRY_SECONDS, so for as long workers may count apart
    once `main` is back.
    """

    STORAGE_SCHEME = ["fallback"]  # noqa: RUF012 - the base class declares an instance attribute

    def __init__(self, uri: str, wrap_exceptions: bool = False, *, main: str) -> None:
        super().__init__(uri, wrap_exceptions)
        self._main = cast(Storage, storage_from_string(main, **_options(main)))
        self._database = DatabaseStorage()
        self._is_down = False
        self._try_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self._ask(lambda storage: storage.incr(key, expiry, amount))

    def get(self, key: str) -> int:
        return self._ask(lambda storage: storage.get(key))

    def get_expiry(self, key: str) -> float:
        return self._ask(lambda storage: storage.get_expiry(key))

    def check(self) -> bool:
        return self._ask(lambda storage: storage.check())

    def reset(self) -> int | None:
        return self._ask(lambda storage: storage.reset())

    def clear(self, key: str) -> None:
        self._ask(lambda storage: storage.clear(key))

    def _ask(self, question: Callable[[Storage], T]) -> T:
        if time.monotonic() >= self._try_at:
            try:
                answer = question(self._main)
            except self._main.base_exceptions as error:
                self._down(type(error).__name__)
            else:
                self._up()
                return answer
        return question(self._database)

    def _down(self, reason: str) -> None:
        if not self._is_down:
            logger.warning("limits are counted in the database: their storage is out of reach (%s)", reason)
        self._is_down = True
        self._try_at = time.monotonic() + RETRY_SECONDS

    def _up(self) -> None:
        if self._is_down:
            logger.warning("limits are counted in their storage again")
        self._is_down = False


def _options(uri: str) -> dict[str, Any]:
    """Keeps requests from waiting for a Redis that is gone.

    One retry is for connections that it has closed. What it was slow to answer it may have counted already.
    """
    if not urlsplit(uri).scheme.startswith("redis"):
        return {}
    times = {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": ANSWER_SECONDS}
    return {**times, "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))}
