"""Who may read a share, and what it is called, over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import UNSET, Meta, UnsetType

from app.api.answers import json_of
from app.api.auth import require_any_share
from app.api.blueprint import bp
from app.api.request_body import parse_body
from app.lib.epoch import epoch_milliseconds
from app.services.access.changes import MAX_EXPIRES_IN, MAX_TITLE_CHARACTERS, Change, change_share
from app.services.access.passwords import MAX_CHARACTERS, MIN_CHARACTERS
from app.services.container import services
from config import Audience

ExpiresIn = Annotated[int, Meta(ge=1, le=MAX_EXPIRES_IN)]
Password = Annotated[str, Meta(min_length=MIN_CHARACTERS, max_length=MAX_CHARACTERS)]
# PostgreSQL stores no NUL.
Title = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE_CHARACTERS, pattern=r"^[^\x00-\x1f\x7f]+\Z")]


class UpdateRequest(msgspec.Struct, kw_only=True):
    """What is to change; `expiresIn` is in seconds from now, and null for never.

    A `title` is shown in place of the session's, and null brings that back.
    """

    audience: Audience | None = None
    password: Password | None = None
    expiresIn: ExpiresIn | UnsetType | None = UNSET  # noqa: N815 - names of the API
    title: Title | UnsetType | None = UNSET


class AccessAnswer(msgspec.Struct, kw_only=True):
    """Who may read a share, and until when (epoch ms); `password` only where the server made it just now."""

    audience: Audience
    password: str | UnsetType = UNSET
    shareExpiresAt: int | UnsetType = UNSET  # noqa: N815
    title: str | UnsetType = UNSET


@bp.patch("/share/<share_id>")
def update(share_id: str) -> ResponseReturnValue:
    """Changes who may read a share, until when, and what it is called."""
    share = require_any_share()
    body = parse_body(UpdateRequest)
    change = Change(
        audience=body.audience, password=body.password, expires_in=body.expiresIn, title=body.title
    )
    share, generated = change_share(share, change)
    expires_at = services().shares.expiry_of(share)
    return json_of(
        AccessAnswer(
            audience=services().audiences.of(share.audience),
            password=generated or UNSET,
            shareExpiresAt=epoch_milliseconds(expires_at) if expires_at else UNSET,
            title=share.custom_title or UNSET,
        )
    )
