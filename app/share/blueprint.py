"""The blueprint itself."""

from __future__ import annotations

from flask import Blueprint, Response

from app.services.members.sessions import renew_session

bp = Blueprint("share", __name__)


@bp.after_request
def keep_signed_in(response: Response) -> Response:
    """Where a page has asked who is signed in, their session goes on."""
    renew_session(response)
    return response
