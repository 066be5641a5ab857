"""Who a request comes from: the share whose id and secret it presents, looked up once per request."""

from __future__ import annotations

import msgspec
from flask import g, request

from app.api.request_body import sent
from app.db.models import Share
from app.services.container import parts
from app.services.shares.service import OtherWayIn, ShareError, WrongSecret

SECRET_HEADER = "X-Share-Secret"  # noqa: S105 - the name of a header
SECRET_IN_BODY = frozenset(("api.delete", "api.sync"))


class _Presented(msgspec.Struct):
    shareId: str = ""  # noqa: N815 - names of the API
    secret: str = ""


def presented_secret() -> str:
    """The secret in the header or, where OpenCode itself sends it so, in the body."""
    return _body().secret if is_secret_in_body() else request.headers.get(SECRET_HEADER, "")


def is_secret_in_body() -> bool:
    """Whether the request presents a secret as OpenCode itself sends it."""
    may_be = request.endpoint in SECRET_IN_BODY and SECRET_HEADER not in request.headers
    return may_be and bool(_body().secret)


def authorized_share() -> Share | None:
    """The live share whose secret the request presents."""
    found = _looked_up()
    return found if isinstance(found, Share) else None


def require_share(source: str) -> Share:
    """The share as above, if it is of that source.

    Raises ShareNotFound, WrongSecret, ShareExpired or OtherWayIn.
    """
    found = _looked_up()
    if isinstance(found, ShareError):
        raise found
    if found.source != source:
        raise OtherWayIn
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
    """What the body presents, read once; whether it is well formed is for the view to say."""
    if "presented" not in g:
        try:
            g.presented = msgspec.json.decode(sent(), type=_Presented)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            g.presented = _Presented()
    presented: _Presented = g.presented
    return presented
