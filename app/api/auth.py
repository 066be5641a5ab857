"""Who a request comes from: the share whose secret it presents, or the creation token.

Secrets are looked up once per request; `flask.g` keeps the result for the rate limits and the view.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from flask import g, request

from app.api.request_body import text_member
from app.db.models import Share
from app.errors import ApiError
from app.services.container import services
from app.services.members.sessions import bearer_token, presented_token
from app.services.members.tokens import PREFIX
from app.services.shares.errors import ShareError, WrongSecret, WrongShareSource

SECRET_HEADER = "X-Share-Secret"  # noqa: S105 - the name of a header
# Where OpenCode itself sends the secret in the body.
SECRET_IN_BODY = frozenset(("api.delete", "api.sync"))


def presented_secret() -> str:
    """The secret in the header, or in the body where OpenCode sends it there; empty without one."""
    return text_member("secret") if is_secret_in_body() else request.headers.get(SECRET_HEADER, "")


def is_secret_in_body() -> bool:
    may_be = request.endpoint in SECRET_IN_BODY and SECRET_HEADER not in request.headers
    return may_be and bool(text_member("secret"))


def authorized_share() -> Share | None:
    """The live share whose secret the request presents."""
    outcome = _authorization()
    return outcome if isinstance(outcome, Share) else None


def require_share(source: str) -> Share:
    """The share as above, if it was made by `source`.

    Raises ShareNotFound, WrongSecret, ShareExpired or WrongShareSource.
    """
    share = require_any_share()
    if share.source != source:
        raise WrongShareSource
    return share


def require_any_share() -> Share:
    """The live share whose secret the request presents. Raises ShareNotFound, WrongSecret or ShareExpired."""
    outcome = _authorization()
    if isinstance(outcome, ShareError):
        raise outcome
    return outcome


@dataclass(frozen=True)
class Creator:
    """Who creates a share: the name of the token that was used, and the member whose token it is.

    `limit_key` is what the creation counts against.
    """

    token: str | None = None
    member_id: str | None = None
    limit_key: str = ""


ANYBODY = Creator()


def creator() -> Creator | None:
    """Who has the creation token or personal token of the request; None without a valid one."""
    presented = bearer_token().encode()
    match = None
    # Every token is compared, so that the time taken does not tell which came close.
    for name, token in services().config.create_tokens.items():
        if hmac.compare_digest(token.encode(), presented):
            match = Creator(name, limit_key=f"token:{name}")
    personal = presented_token()
    if match is None and personal:
        match = Creator(personal.name, personal.member.id, f"personal-token:{personal.id}")
    return match


def require_creator() -> Creator:
    """As above; ANYBODY on a server where everybody may create. Raises ApiError (401)."""
    config = services().config
    presented = bearer_token()
    # A personal token that was revoked is refused everywhere, for whoever has it expects to be named.
    is_personal = config.has_sign_in and presented.startswith(PREFIX)
    match = creator()
    if match or not (config.create_tokens or is_personal):
        return match or ANYBODY
    if is_personal:
        page = f"{config.BASE_URL}/account/tokens"
        raise ApiError(401, "wrong_token", f"This token was revoked, or is not of this server; see {page}.")
    if presented:
        raise ApiError(401, "wrong_token", "This server does not know that token; ask who runs it.")
    raise ApiError(401, "token_required", "To share here, send a token as 'Authorization: Bearer'.")


def _authorization() -> Share | ShareError:
    if "authorization" not in g:
        g.authorization = _authorize()
    outcome: Share | ShareError = g.authorization
    return outcome


def _authorize() -> Share | ShareError:
    secret = presented_secret()
    if not secret:
        return WrongSecret()
    share_id: str = (request.view_args or {}).get("share_id") or text_member("shareId")
    try:
        return services().shares.authorize(share_id, secret)
    except ShareError as error:
        return error
