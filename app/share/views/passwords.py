"""Where readers of a private session enter its password."""

from __future__ import annotations

import re

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.errors import password_form
from app.services.access.audit import audit
from app.services.access.passwords import is_password
from app.services.access.readers import add_reader_cookie
from app.services.container import services
from app.services.rate_limits import limit_by, rate_limit_address
from app.share.blueprint import bp

MAX_DESTINATION = 2000


def _share_key() -> str:
    return f"share:{(request.view_args or {})['share_id']}"


@bp.post("/share/<share_id>/password")
@limit_by(lambda: "RATELIMIT_PASSWORD", scope="password", key_func=rate_limit_address)
@limit_by(lambda: "RATELIMIT_PASSWORD_SHARE", scope="password-share", key_func=_share_key)
def enter_password(share_id: str) -> ResponseReturnValue:
    """Lets a browser read the session, and leads it to where it was going."""
    share = services().live_shares.get(share_id)
    destination = _destination(share_id)
    response = redirect(destination, 303)
    response.headers["Cache-Control"] = "no-store"
    if share.password_hash:
        if not is_password(request.form.get("password", ""), share.password_hash):
            audit("password_refused", share_id)
            return password_form(share_id, destination, "That is not the password."), 403
        audit("password_entered", share_id)
        add_reader_cookie(response, share, share.password_hash)
    return response


def _destination(share_id: str) -> str:
    """The page of this session that the form names, or else its first: no form leads to another site."""
    page = url_for("share.show", share_id=share_id)
    destination = request.form.get("destination", "")
    is_of_session = re.fullmatch(re.escape(page) + r"([./?][!-\[\]-~]*)?", destination)
    return destination if is_of_session and len(destination) <= MAX_DESTINATION else page
