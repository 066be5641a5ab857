"""The blueprint itself, whose pages are for members, and whose forms carry a token of their session."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, request

from app.errors import ApiError
from app.services.container import services
from app.services.members.directory import SignedInMember
from app.services.members.sessions import current_member, renew_session
from app.services.shares.errors import SignInRequired

bp = Blueprint("account", __name__, url_prefix="/account")

# For those who are not signed in yet.
PUBLIC_ENDPOINTS = ("account.sign_in", "account.callback")
SALT = "form of a member"


def require_member() -> SignedInMember:
    """The member whose request it is. Raises SignInRequired."""
    member = current_member()
    if member is None:
        raise SignInRequired
    return member


@bp.before_request
def admit() -> None:
    """Lets members in, and of forms only those that this server has given to the same member."""
    if request.endpoint in PUBLIC_ENDPOINTS:
        return
    member = require_member()
    presented = request.form.get("csrf_token", "").encode() if request.method == "POST" else b""
    if request.method == "POST" and not hmac.compare_digest(presented, _csrf_token(member)):
        raise ApiError(403, "wrong_form", "This form is too old; go back, load the page again and repeat it.")


@bp.context_processor
def template_values() -> dict[str, Any]:
    member = current_member()
    config = services().config
    return {
        "member": member,
        "csrf_token": _csrf_token(member).decode() if member else "",
        "has_sign_out": bool(config.OIDC_ISSUER),
    }


@bp.after_request
def add_headers(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    renew_session(response)
    return response


def _csrf_token(member: SignedInMember) -> bytes:
    """The same until the member signs out."""
    return services().signing.signer(SALT).get_signature(f"{member.id} {member.signed_out_at}")
