"""Who may create shares: everybody, or who presents one of the operator's tokens."""

from __future__ import annotations

import hmac

from flask import request

from app.errors import ApiError
from app.services.container import parts


def creator() -> str | None:
    """The name of the operator's token that the request presents, None without a valid one."""
    presented = _presented().encode()
    found = None
    # Every token is compared, so that the time taken says nothing of which came close.
    for name, token in parts().config.create_tokens.items():
        if hmac.compare_digest(token.encode(), presented):
            found = name
    return found


def require_creator() -> str | None:
    """The name as above, None on a server where everybody may create. Raises ApiError (401)."""
    name = creator()
    if name or not parts().config.create_tokens:
        return name
    if _presented():
        raise ApiError(401, "wrong_token", "This server does not know that token; ask who runs it.")
    raise ApiError(401, "token_required", "To share here, send a token as 'Authorization: Bearer'.")


def _presented() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
