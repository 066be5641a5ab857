"""The blueprint itself, its limits and the headers that every answer carries."""

from __future__ import annotations

import time
from functools import partial
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, request

from app.api.addresses import counted_address
from app.api.auth import authorized_share
from app.api.tokens import creator
from app.db.extensions import limiter
from app.services.container import parts

T = TypeVar("T")

bp = Blueprint("api", __name__, url_prefix="/api")


def _limit() -> str:
    config = parts().config
    return config.RATELIMIT_SHARE if authorized_share() else config.RATELIMIT_API


def _caller() -> str:
    """A request with a valid secret counts against its share, any other against its address."""
    share = authorized_share()
    return f"share:{share.share_id}" if share else f"ip:{counted_address()}"


def _creation_limit() -> str:
    config = parts().config
    return config.RATELIMIT_CREATE_TOKEN if creator() else config.RATELIMIT_CREATE


def _creator() -> str:
    """A creation with a token counts against the token, any other against its address."""
    name = creator()
    return f"token:{name}" if name else f"ip:{counted_address()}"


limit_requests = limiter.shared_limit(_limit, scope="api", key_func=_caller)
limit_requests(bp)
# A view with a limit of its own is without that of its blueprint, so it takes both.
_creations = partial(limiter.shared_limit, _creation_limit, scope="create", key_func=_creator)
limit_creations = _creations()
# With the secret of the share it names, nothing is created.
limit_presigns = _creations(exempt_when=lambda: authorized_share() is not None)


@bp.url_value_preprocessor
def allow_whole_sessions(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Lets a sync be large, before anything reads it, where there is a share to take it."""
    is_large = (request.content_length or 0) > current_app.config["MAX_CONTENT_LENGTH"]
    if endpoint == "api.sync" and values and is_large:
        parts().shares.life(values["share_id"])
        request.max_content_length = parts().config.MAX_SESSION_BYTES


def init_limiter(app: Flask) -> None:
    """Has the limiter look at requests to the API only; it would ask for the limits of every page as well."""
    limiter.init_app(app)
    _make_ours(app.before_request_funcs)
    _make_ours(app.after_request_funcs)
    _make_ours(app.teardown_request_funcs)


def _make_ours(hooks: dict[str | None, list[T]]) -> None:
    hooks.setdefault(bp.name, []).extend(hooks.pop(None, []))


@bp.after_request
def add_headers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    if request.method in ("GET", "HEAD", "OPTIONS"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    if limit := limiter.current_limit:
        seconds_left = max(0, int(limit.reset_at - time.time()))
        response.headers["RateLimit-Limit"] = str(limit.limit.amount)
        response.headers["RateLimit-Remaining"] = str(limit.remaining)
        response.headers["RateLimit-Reset"] = str(seconds_left)
        if response.status_code == 429:
            response.headers["Retry-After"] = str(max(1, seconds_left))
    return response
