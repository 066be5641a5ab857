"""Who a request comes from: the share whose id and secret it presents, looked up once per request."""

from __future__ import annotations

from typing import Any

from flask import g, request

from app.models import Share
from app.parts import parts
from app.shares import ShareError, ShareNotFound, WrongSecret

SECRET_HEADER = "X-Share-Secret"  # noqa: S105 - the name of a header


def presented_secret() -> str:
    """The secret in the header, or in a JSON body as OpenCode itself sends it."""
    in_body = _body_field("secret") if request.method == "DELETE" else ""
    return request.headers.get(SECRET_HEADER) or in_body


def authorized_share() -> Share | None:
    """The live share whose secret the request presents."""
    found = _looked_up()
    return found if isinstance(found, Share) else None


def require_share() -> Share:
    """The share as above. Raises ShareNotFound, or WrongSecret."""
    found = _looked_up()
    if isinstance(found, ShareError):
        raise found
    return found


def _looked_up() -> Share | ShareError:
    if "looked_up" not in g:
        g.looked_up = _look_up()
    found: Share | ShareError = g.looked_up
    return found


def _look_up() -> Share | ShareError:
    view_args: dict[str, Any] = request.view_args or {}
    share_id = view_args.get("share_id") or _body_field("shareId")
    secret = presented_secret()
    if not secret:
        return WrongSecret()
    try:
        return parts().shares.authorize(share_id, secret)
    except (ShareNotFound, WrongSecret) as error:
        return error


def _body_field(name: str) -> str:
    body = request.get_json(force=True, silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""
