"""Rate limits by Flask-Limiter: whom a request counts against, where, and what the response says of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Response, request
from flask_limiter import Limiter, RouteLimit

from app.http.client_address import network_of
from app.services import rate_limit_storage
from app.services.container import services
from config import Config


def rate_limit_address() -> str:
    """What an anonymous request counts against: its client's network."""
    return network_of(request.remote_addr or "")


limiter = Limiter(rate_limit_address)


def limit_by(setting: Callable[[], str], **options: Any) -> RouteLimit:
    """A limit that is the value of the setting whose name `setting` returns; a refusal names both."""

    def value() -> str:
        return str(getattr(services().config, setting()))

    def refusal() -> str:
        return (
            "Too many requests; try again after the seconds in 'Retry-After'. "
            f"The limit is {value()}, which {setting()} sets on this server."
        )

    return limiter.shared_limit(value, error_message=refusal, **options)


def settings(config: Config) -> dict[str, Any]:
    """What Flask-Limiter reads from `app.config` to count where the operator says."""
    if not config.RATELIMIT_STORAGE_URI:
        return {"RATELIMIT_STORAGE_URI": rate_limit_storage.DATABASE_URI}
    return {
        "RATELIMIT_STORAGE_URI": rate_limit_storage.FALLBACK_URI,
        "RATELIMIT_STORAGE_OPTIONS": {"main": config.RATELIMIT_STORAGE_URI},
    }


def seconds_until_reset() -> int:
    """When the limit that is nearest to being reached counts anew; 0 where there is none."""
    limit = limiter.current_limit
    return max(0, int(limit.reset_at - time.time())) if limit else 0


def add_headers(response: Response) -> Response:
    """The limit that is nearest to being reached, as RateLimit-* headers; seconds in -Reset and Retry-After.

    A `Retry-After` that is there stays. Flask-Limiter's own headers would put it on every response, and epoch
    seconds into `-Reset`.
    """
    limit = limiter.current_limit
    if limit is None:
        return response
    seconds_left = seconds_until_reset()
    response.headers["RateLimit-Limit"] = str(limit.limit.amount)
    response.headers["RateLimit-Remaining"] = str(limit.remaining)
    response.headers["RateLimit-Reset"] = str(seconds_left)
    if response.status_code == 429:
        response.headers.setdefault("Retry-After", str(max(1, seconds_left)))
    return response
