"""How many requests the API takes from whom."""

from __future__ import annotations

from functools import partial

from app.api.auth import authorized_share, creator
from app.services.rate_limits import limit_by, rate_limit_address


def _request_setting() -> str:
    return "RATELIMIT_SHARE" if authorized_share() else "RATELIMIT_API"


def _request_key() -> str:
    """A request with a share's secret counts against that share, any other against its address."""
    share = authorized_share()
    return f"share:{share.share_id}" if share else f"ip:{rate_limit_address()}"


def _creation_setting() -> str:
    return "RATELIMIT_CREATE_TOKEN" if creator() else "RATELIMIT_CREATE"


def _creation_key() -> str:
    """A creation with a token counts against the token, any other against its address."""
    match = creator()
    return match.limit_key if match else f"ip:{rate_limit_address()}"


# Flask-Limiter drops a blueprint's limit from views that have a limit of their own, so those name both.
limit_requests = limit_by(_request_setting, scope="api", key_func=_request_key)
_creations = partial(limit_by, _creation_setting, scope="create", key_func=_creation_key)
limit_creations = _creations()
# With the secret of an existing share nothing is created.
limit_presigns = _creations(exempt_when=lambda: authorized_share() is not None)
