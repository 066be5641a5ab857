"""Blueprint `api`: its rate limits, the size of request bodies, and the headers of every response."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, request

from app.api.rate_limits import limit_requests
from app.services.container import services
from app.services.rate_limits import add_headers as add_rate_limit_headers

bp = Blueprint("api", __name__, url_prefix="/api")
limit_requests(bp)


@bp.url_value_preprocessor
def allow_large_syncs(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Raises the cap of the body of a sync, before anything reads it, when its share exists."""
    is_large = (request.content_length or 0) > current_app.config["MAX_CONTENT_LENGTH"]
    if endpoint == "api.sync" and values and is_large:
        services().live_shares.get(values["share_id"])
        request.max_content_length = services().config.MAX_SESSION_BYTES


@bp.after_request
def add_headers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    if request.method in ("GET", "HEAD", "OPTIONS"):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return add_rate_limit_headers(response)
