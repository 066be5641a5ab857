"""Who the current request comes from: whom a proxy names, or the cookie or the token of a member."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import g, request
from itsdangerous import BadSignature
from werkzeug import Response

from app.http.proxy_sign_in import MEMBER_KEY, signed_in_groups, signed_in_name
from app.http.token_prefix import is_token_in_path
from app.services.container import services
from app.services.cookies import delete_cookie, set_cookie
from app.services.members.directory import SignedInMember
from app.services.members.identity import Identity
from app.services.members.tokens import PREFIX, UsedToken

COOKIE = "member"
COOKIE_SECONDS = 30 * 24 * 60 * 60
# A cookie of this age is replaced by a new one, so that only a month of absence ends a session.
RENEW_SECONDS = 24 * 60 * 60
SALT = "session of a member"
_COOKIE_HEADER = re.compile(rf"(?:^|; ){COOKIE}=([^;]+)")


def current_member() -> SignedInMember | None:
    """Who is signed in; found out once per request, and not at all where nobody asks."""
    if "member" not in g:
        g.member = _find_member()
    member: SignedInMember | None = g.member
    return member


def begin_session(response: Response, member: SignedInMember) -> None:
    """Signs this browser in, from now on."""
    began_at = time.time()
    if member.signed_out_at:
        # By the clock of another host, that may be in the future.
        began_at = max(began_at, (member.signed_out_at + timedelta(milliseconds=1)).timestamp())
    value = services().signing.signer(SALT).sign(f"{member.id}.{round(began_at * 1000)}").decode()
    set_cookie(response, COOKIE, value, COOKIE_SECONDS)


def end_session(response: Response) -> None:
    """Takes its cookie from this browser; `Members.sign_out` ends the sessions of others too."""
    # Nothing that comes after this may renew it.
    g.member = None
    delete_cookie(response, COOKIE)


def renew_session(response: Response) -> None:
    """Replaces the cookie of a session that the request has shown to be good, once it is a day old."""
    member: SignedInMember | None = g.get("member")
    session = _read_session(request.cookies.get(COOKIE, "")) if member else None
    if member and session and time.time() - session[1].timestamp() > RENEW_SECONDS:
        begin_session(response, member)


def session_in(environ: Mapping[str, Any]) -> str:
    """The name that a proxy gives in a request, or the cookie of a session, not read yet; empty without."""
    cookie = _COOKIE_HEADER.search(environ.get("HTTP_COOKIE", ""))
    return environ.get(MEMBER_KEY) or (cookie[1] if cookie else "")


def member_of(session: str) -> str | None:
    """The id of the member whose session that is."""
    if services().config.AUTH_PROXY_HEADER:
        return Identity.from_proxy(session).member_id
    found = _read_session(session)
    return found[0] if found else None


def presented_token() -> UsedToken | None:
    """The personal token that the current request presents, in its header or in its path."""
    if "personal_token" not in g:
        token = bearer_token()
        is_personal = token.startswith(PREFIX) and services().config.has_sign_in
        g.personal_token = services().personal_tokens.find(token) if is_personal else None
    used: UsedToken | None = g.personal_token
    return used


def token_reader() -> SignedInMember | None:
    """The member who reads by a token in the header; one in the path may have come with a link."""
    if is_token_in_path():
        return None
    used = presented_token()
    return used.member if used else None


def bearer_token() -> str:
    """What the request presents as `Authorization: Bearer`; empty without it."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _read_session(cookie: str) -> tuple[str, datetime] | None:
    """The id of the member whom a cookie names, and when its session began; None if it is not good."""
    if not cookie:
        return None
    try:
        member_id, _, milliseconds = services().signing.signer(SALT).unsign(cookie).decode().partition(".")
        began_at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (BadSignature, ValueError, OverflowError):
        return None
    return None if datetime.now(UTC) - began_at > timedelta(seconds=COOKIE_SECONDS) else (member_id, began_at)


def _find_member() -> SignedInMember | None:
    if name := signed_in_name():
        return services().members.see(Identity.from_proxy(name, signed_in_groups()))
    session = _read_session(request.cookies.get(COOKIE, "")) if services().config.OIDC_ISSUER else None
    if session is None:
        return None
    member_id, began_at = session
    member = services().members.get(member_id)
    return member if member and member.has_session_since(began_at) else None
