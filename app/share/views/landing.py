"""The page at `/`: what this server is, and how to point OpenCode at it."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue

from app.services.container import services
from app.share.views import plugin

bp = Blueprint("landing", __name__)


@bp.get("/")
def landing() -> ResponseReturnValue:
    config = services().config
    html = render_template(
        "landing.html",
        base_url=config.BASE_URL,
        needs_token=bool(config.create_tokens),
        has_sign_in=config.has_sign_in,
        redacts=config.SHARE_REDACT,
        package=plugin.package(),
        is_private=_is_private(config.BASE_URL),
    )
    response = make_response(html)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _is_private(base_url: str) -> bool:
    """Whether nobody on the way can change what a client gets from this address, which may be code."""
    parts = urlsplit(base_url)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


@bp.get("/llms.txt")
def llms() -> ResponseReturnValue:
    """What a model that is given a link can read instead of the page (llmstxt.org)."""
    config = services().config
    text = render_template("llms.txt", base_url=config.BASE_URL, takes_imports=not config.base_path)
    return Response(text, mimetype="text/plain", headers={"Cache-Control": "no-cache"})
