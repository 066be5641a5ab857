"""How many requests the API takes from whom."""

from __future__ import annotations

from functools import partial

from app.api.auth import authorized_share, creation_token_name
from app.services.container import services
from app.services.rate_limits import limiter, rate_limit_address


def _request_limit() -> str:
    config = services().config
    return config.RATELIMIT_SHARE if authorized_share() else config.RATELIMIT_API


def _request_key() -> str:
    """A request with a share's secret counts against that share, any other against its address."""
    share = authorized_share()
    return f"share:{share.share_id}" if share else f"ip:{rate_limit_address()}"


def _creation_limit() -> str:
    config = services().config
    return config.RATELIMIT_CREATE_TOKEN if creation_token_name() else config.RATELIMIT_CREATE


def _creation_key() -> str:
    """A creation with a token counts against the token, any other against its address."""
    name = creation_token_name()
    return f"token:{name}" if name else f"ip:{rate_limit_address()}"


# Flask-Limiter drops a blueprint's limit from views that have a limit of their own, so those name both.
limit_requests = limiter.shared_limit(_request_limit, scope="api", key_func=_request_key)
_creations = partial(limiter.shared_limit, _creation_limit, scope="create", key_func=_creation_key)
limit_creations = _creations()
# With the secret of an existing share nothing is created.
limit_presigns = _creations(exempt_when=lambda: authorized_share() is not None)
