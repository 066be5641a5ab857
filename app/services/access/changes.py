"""What an author changes of a share: who may read it, until when, and what it is called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from app.db.models import PASSWORD, Share
from app.lib.epoch import epoch_milliseconds
from app.services.access.access import Access
from app.services.access.audit import audit
from app.services.access.passwords import generate_password, hash_password
from app.services.container import services
from app.services.shares.errors import AudienceNotOffered, PasswordNotUsed
from config import Audience

MAX_EXPIRES_IN = 10 * 365 * 24 * 60 * 60
MAX_TITLE_CHARACTERS = 200


class Change(msgspec.Struct, kw_only=True):
    """What is to change; `expires_in` is in seconds from now, and None for never.

    A `title` is shown in place of the session's, and None brings that back.
    """

    audience: Audience | None = None
    password: str | None = None
    expires_in: int | UnsetType | None = UNSET
    title: str | UnsetType | None = UNSET


def change_share(share: Share, change: Change) -> tuple[Share, str | None]:
    """The share as it is from now on, and its password if it has to be made here.

    Raises AudienceNotOffered, PasswordNotUsed or ShareNotFound.
    """
    access, generated = access_of(change.audience, change.password, has_password=share.password is not None)
    values: dict[str, Any] = {}
    if access.audience:
        values["audience"] = access.audience
        if access.password_hash or access.audience != PASSWORD:
            values["password"] = access.password_hash
    if change.expires_in is not UNSET:
        lasts = timedelta(seconds=change.expires_in) if change.expires_in else None
        values["expires_at"] = datetime.now(UTC) + lasts if lasts else None
    if change.title is not UNSET:
        values["custom_title"] = change.title or None
    if values:
        share = services().shares.update(share, **values)
        services().recent.forget(share.share_id)
        expires_at = services().shares.expiry_of(share)
        audit(
            "share_changed",
            share.share_id,
            audience=services().audiences.of(share.audience),
            shareExpiresAt=epoch_milliseconds(expires_at) if expires_at else None,
            newPassword=access.password_hash is not None,
            newTitle=True if "custom_title" in values else None,
        )
    return share, generated


def access_of(
    audience: Audience | None, password: str | None, *, has_password: bool = False
) -> tuple[Access, str | None]:
    """What an author asks for, and the password if it has to be made here.

    Raises AudienceNotOffered, or PasswordNotUsed for one that nobody would be asked for.
    """
    audience = audience or (PASSWORD if password else None)
    choices = services().audiences.choices
    if audience and audience not in choices:
        raise AudienceNotOffered(choices)
    if audience != PASSWORD:
        if password:
            raise PasswordNotUsed
        return Access(audience), None
    generated = None if password or has_password else generate_password()
    password = password or generated
    return Access(audience, hash_password(password) if password else None), generated
