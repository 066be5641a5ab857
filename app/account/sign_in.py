"""Sign-in at the OpenID provider and back, and sign-out."""

from __future__ import annotations

import re

import msgspec
from flask import after_this_request, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadData
from werkzeug import Response

from app.account.blueprint import bp, require_member
from app.services.access.audit import audit
from app.services.container import services
from app.services.cookies import delete_cookie, set_cookie
from app.services.members.openid import Attempt, SignInRefused
from app.services.members.sessions import begin_session, current_member, end_session
from app.services.rate_limits import limit_by, rate_limit_address
from app.services.shares.errors import SignInRequired

COOKIE_PREFIX = "sign-in-"
COOKIE_CHARACTERS = 12
# In which somebody finds their password.
ATTEMPT_SECONDS = 15 * 60
# Begun in one browser at the same time, such as by tabs that it opens again.
MAX_ATTEMPTS = 5
COOKIE_PATH = "/account"
SALT = "attempt to sign in"
MAX_DESTINATION = 2000
# Neither the address of another host (`//`), nor what browsers take for one (`/\`, tabs, line breaks).
LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")

limit_sign_ins = limit_by(lambda: "RATELIMIT_SIGN_IN", scope="sign-in", key_func=rate_limit_address)


@bp.get("/sign-in")
@limit_sign_ins
def sign_in() -> ResponseReturnValue:
    """Leads to the provider, or on to `next` for those who are signed in.

    With `choose` the provider asks for the account, where it would take the one that it refused before.
    """
    destination = local_path(request.args.get("next", ""))
    if current_member():
        return redirect(destination, 303)
    provider = services().provider
    if provider is None:
        raise SignInRequired
    attempt = Attempt(destination)
    url = provider.authorization_url(attempt, with_choice="choose" in request.args)
    response = redirect(url, 302)
    others = [name for name in request.cookies if name.startswith(COOKIE_PREFIX)]
    for other in others[: max(0, len(others) + 1 - MAX_ATTEMPTS)]:
        delete_cookie(response, other, COOKIE_PATH)
    value = services().signing.serializer(SALT).dumps(msgspec.to_builtins(attempt))
    set_cookie(response, _cookie_name(attempt.state), value, ATTEMPT_SECONDS, COOKIE_PATH)
    return response


@bp.get("/callback")
@limit_sign_ins
def callback() -> ResponseReturnValue:
    """Where the provider leads back to; each attempt has one answer."""
    provider = services().provider
    attempt = _attempt(request.args.get("state", ""))
    if provider is None or attempt is None:
        raise _refusal("This sign-in took too long, or began in another browser; open the link again.")

    @after_this_request
    def end_attempt(response: Response) -> Response:
        delete_cookie(response, _cookie_name(attempt.state), COOKIE_PATH)
        return response

    code = request.args.get("code", "")
    if not code:
        raise _refusal("The provider did not sign you in.")
    try:
        person = provider.identify(code, attempt)
    except SignInRefused as error:
        raise _refusal(str(error)) from None
    if not services().members.may_sign_in(person):
        raise _refusal(
            "You are signed in, but not among those who may use this server; ask who runs it.",
            account=person.account,
        )
    g.member = services().members.sign_in(person)
    audit("signed_in")
    response = redirect(attempt.destination, 303)
    begin_session(response, g.member)
    return response


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Ends all sessions of a member, in this browser and in others."""
    member = require_member()
    services().members.sign_out(member.id)
    audit("signed_out")
    response = redirect(url_for("landing.landing"), 303)
    end_session(response)
    return response


def local_path(path: str) -> str:
    """The path, if it is one of this server; else that of one's own shares."""
    is_here = LOCAL_PATH.fullmatch(path) and len(path) <= MAX_DESTINATION
    return (
        path if is_here and path.startswith(f"{services().config.base_path}/") else url_for("account.shares")
    )


def _attempt(state: str) -> Attempt | None:
    """The attempt with this state, if it was begun in this browser and not long ago."""
    try:
        value = (
            services()
            .signing.serializer(SALT)
            .loads(request.cookies.get(_cookie_name(state), ""), max_age=ATTEMPT_SECONDS)
        )
        attempt = msgspec.convert(value, Attempt)
    except (BadData, msgspec.ValidationError):
        return None
    return attempt if attempt.state == state else None


def _refusal(sentence: str, account: str | None = None) -> SignInRefused:
    audit("sign_in_refused", account=account, reason=sentence)
    return SignInRefused(sentence)


def _cookie_name(state: str) -> str:
    return COOKIE_PREFIX + state[:COOKIE_CHARACTERS]
