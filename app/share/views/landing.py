"""The page at `/`: what this server is, and how to point OpenCode at it."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from app.services.container import services

bp = Blueprint("landing", __name__)


@bp.get("/")
def landing() -> ResponseReturnValue:
    config = services().config
    html = render_template(
        "landing.html",
        base_url=config.BASE_URL,
        needs_token=bool(config.create_tokens),
        redacts=config.SHARE_REDACT,
    )
    response = make_response(html)
    response.headers["Cache-Control"] = "no-cache"
    return response
