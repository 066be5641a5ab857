"""Who may read a share, over HTTP: what a client asks for at creation, and changes later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import UNSET, Meta, UnsetType

from app.api.answers import epoch_milliseconds, json_of
from app.api.auth import require_any_share
from app.api.blueprint import bp
from app.api.request_body import parse_body
from app.db.models import PASSWORD, Share
from app.errors import ApiError
from app.services.access.access import Access
from app.services.access.audit import audit
from app.services.access.passwords import MAX_CHARACTERS, MIN_CHARACTERS, generate_password, hash_password
from app.services.container import services
from config import Audience

MAX_EXPIRES_IN = 10 * 365 * 24 * 60 * 60

ExpiresIn = Annotated[int, Meta(ge=1, le=MAX_EXPIRES_IN)]
Password = Annotated[str, Meta(min_length=MIN_CHARACTERS, max_length=MAX_CHARACTERS)]


class UpdateRequest(msgspec.Struct, kw_only=True):
    """What is to change; `expiresIn` is in seconds from now, and null for never."""

    audience: Audience | None = None
    password: Password | None = None
    expiresIn: ExpiresIn | UnsetType | None = UNSET  # noqa: N815 - names of the API


class AccessAnswer(msgspec.Struct, kw_only=True):
    """Who may read a share, and until when (epoch ms); `password` only where the server made it just now."""

    audience: Audience
    password: str | UnsetType = UNSET
    shareExpiresAt: int | UnsetType = UNSET  # noqa: N815


@bp.patch("/share/<share_id>")
def update(share_id: str) -> ResponseReturnValue:
    """Changes who may read a share, and until when."""
    share = require_any_share()
    body = parse_body(UpdateRequest)
    access, generated = access_of(body.audience, body.password, has_password=share.password is not None)
    values: dict[str, Any] = {}
    if access.audience:
        values["audience"] = access.audience
        if access.password_hash or access.audience != PASSWORD:
            values["password"] = access.password_hash
    if body.expiresIn is not UNSET:
        lasts = timedelta(seconds=body.expiresIn) if body.expiresIn else None
        values["expires_at"] = datetime.now(UTC) + lasts if lasts else None
    if values:
        share = services().shares.update(share, **values)
        services().recent.forget(share_id)
        audit(
            "share_changed",
            share_id,
            **json_of(_answer(share, None)),
            newPassword=access.password_hash is not None,
        )
    return json_of(_answer(share, generated))


def _answer(share: Share, generated: str | None) -> AccessAnswer:
    expires_at = services().shares.expiry_of(share)
    return AccessAnswer(
        audience=services().audiences.of(share.audience),
        password=generated or UNSET,
        shareExpiresAt=epoch_milliseconds(expires_at) if expires_at else UNSET,
    )


def access_of(
    audience: Audience | None, password: str | None, *, has_password: bool = False
) -> tuple[Access, str | None]:
    """What a client asks for, and the password if it has to be made here.

    Raises ApiError (400) for what the server does not offer, or a password that nobody would be asked for.
    """
    audience = audience or (PASSWORD if password else None)
    choices = services().audiences.choices
    if audience and audience not in choices:
        offered = ", ".join(f"'{choice}'" for choice in choices)
        raise ApiError(
            400, "audience_not_offered", f"This server does not offer that audience, only {offered}."
        )
    if audience != PASSWORD:
        if password:
            raise ApiError(400, "invalid_request", "'password' needs the audience 'password'.")
        return Access(audience), None
    generated = None if password or has_password else generate_password()
    password = password or generated
    return Access(audience, hash_password(password) if password else None), generated
