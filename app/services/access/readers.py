"""Whether the current request may read a share, and the cookie of those who have entered its password."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from flask import request
from itsdangerous import BadSignature, TimestampSigner
from werkzeug import Response

from app.db.models import MEMBERS, PASSWORD
from app.services.cookies import delete_cookie, set_cookie
from app.services.members.sessions import current_member, token_reader
from app.services.shares.errors import PasswordRequired, SignInRequired
from app.services.shares.live_share import LiveShare

COOKIE_PREFIX = "share-"
COOKIE_SECONDS = 7 * 24 * 60 * 60
# Every request to this server carries them all.
MAX_COOKIES = 20
SIGNED = "reader"


def require_reader(share: LiveShare) -> None:
    """Raises PasswordRequired or SignInRequired unless the current request may read the share."""
    if share.audience == MEMBERS and not (current_member() or token_reader()):
        raise SignInRequired
    if share.audience == PASSWORD and not (_has_cookie(share, request.cookies) or _is_owner(share)):
        raise PasswordRequired(share.share_id)


def add_reader_cookie(response: Response, share: LiveShare, password_hash: str) -> None:
    """Lets this browser read the share for COOKIE_SECONDS, or until its password is changed.

    Its path is that of all pages, since `/share/<id>` would leave out `/share/<id>.md` and `/api/share/<id>`.
    """
    name = COOKIE_PREFIX + share.share_id
    others = [other for other in request.cookies if other.startswith(COOKIE_PREFIX) and other != name]
    # Browsers send the oldest first (RFC 6265, section 5.4).
    for other in others[: max(0, len(others) + 1 - MAX_COOKIES)]:
        delete_cookie(response, other)
    value = _signer(share, password_hash).sign(SIGNED).decode()
    set_cookie(response, name, value, COOKIE_SECONDS)


def _has_cookie(share: LiveShare, cookies: Mapping[str, str]) -> bool:
    cookie = cookies.get(COOKIE_PREFIX + share.share_id)
    if not cookie or not share.password_hash:
        return False
    try:
        return _signer(share, share.password_hash).unsign(cookie, COOKIE_SECONDS) == SIGNED.encode()
    except BadSignature:
        return False


def _is_owner(share: LiveShare) -> bool:
    member = current_member() if share.member else None
    return member is not None and member.id == share.member


def _signer(share: LiveShare, password_hash: str) -> TimestampSigner:
    """Signs with the hash of the password, which all hosts have and which ends with the password."""
    return TimestampSigner(password_hash, salt=f"reader of {share.cache_key}", digest_method=hashlib.sha256)
