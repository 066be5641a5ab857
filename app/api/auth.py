"""Who a request comes from: the share whose id and secret it presents, looked up once per request."""

from __future__ import annotations

import msgspec
from flask import g, request

from app.models import Share
from app.parts import parts
from app.shares import ShareError, WrongSecret

SECRET_HEADER = "X-Share-Secret"  # noqa: S105 - the name of a header


class _Presented(msgspec.Struct):
    shareId: str = ""  # noqa: N815 - names of the API
    secret: str = ""


def presented_secret() -> str:
    """The secret in the header or, to delete, in a JSON body as OpenCode itself sends it."""
    return _body().secret if is_secret_in_body() else request.headers.get(SECRET_HEADER, "")


def is_secret_in_body() -> bool:
    """Whether the request is a delete as OpenCode itself sends it."""
    return request.method == "DELETE" and SECRET_HEADER not in request.headers and bool(_body().secret)


def authorized_share() -> Share | None:
    """The live share whose secret the request presents."""
    found = _looked_up()
    return found if isinstance(found, Share) else None


def require_share() -> Share:
    """The share as above. Raises ShareNotFound, WrongSecret or ShareExpired."""
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
    secret = presented_secret()
    if not secret:
        return WrongSecret()
    share_id: str = (request.view_args or {}).get("share_id") or _body().shareId
    try:
        return parts().shares.authorize(share_id, secret)
    except ShareError as error:
        return error


def _body() -> _Presented:
    """What the body presents; whether it is well formed is for the view to say."""
    try:
        return msgspec.json.decode(request.get_data(), type=_Presented)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Presented()
