"""The life cycle of a share over HTTP: create and delete; `upload_links` has what comes between."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import UNSET, Meta, UnsetType

from app.api.access import ExpiresIn, Password
from app.api.answers import json_of
from app.api.auth import (
    authorized_share,
    is_secret_in_body,
    presented_secret,
    require_creator,
    require_share,
)
from app.api.blueprint import bp
from app.api.rate_limits import limit_presigns, limit_requests
from app.api.request_body import SessionId, parse_body
from app.db.models import UPLOAD
from app.errors import ApiError
from app.http.metrics import count
from app.http.request_log import set_share_id
from app.lib.epoch import epoch_milliseconds
from app.services.access.audit import audit
from app.services.access.changes import access_of
from app.services.container import services
from app.services.plugin_package import plugin_package
from app.services.shares.errors import ShareNotFound
from app.services.shares.service import SignedUpload, UploadDeclaration
from app.services.shares.share_ids import SHARE_ID
from config import Audience

ShareId = Annotated[str, Meta(pattern=rf"^{SHARE_ID}\Z")]

# Ids of fewer characters can be guessed; shares from before this rule keep theirs.
MIN_NEW_ID_CHARACTERS = 6


class UploadRequest(msgspec.Struct):
    """What is about to be uploaded; `size` in bytes as sent."""

    size: Annotated[int, Meta(ge=1)] | None = None
    contentEncoding: str | None = None  # noqa: N815 - names of the API


class CreateRequest(UploadRequest, kw_only=True):
    """A share, which is to last for `expiresIn` seconds, where the server allows that many.

    Without a `password` the server makes one, where the `audience` needs it.
    """

    shareId: ShareId  # noqa: N815
    sessionId: SessionId  # noqa: N815
    expiresIn: ExpiresIn | None = None  # noqa: N815
    audience: Audience | None = None
    password: Password | None = None


class SignedLink(msgspec.Struct, kw_only=True):
    """A link that takes one PUT with these headers until `expiresAt`; times in epoch milliseconds."""

    shareId: str  # noqa: N815
    url: str
    presignedUrl: str  # noqa: N815
    headers: dict[str, str]
    expiresAt: int  # noqa: N815
    createdAt: int  # noqa: N815
    shareExpiresAt: int | UnsetType = UNSET  # noqa: N815


class CreatedShare(SignedLink, kw_only=True):
    """A new share: its secret, who may read it, and which plugin the server hands out.

    `password` is there only if the server made it.
    """

    secret: str
    audience: Audience
    password: str | UnsetType = UNSET
    plugin: str


@bp.post("/share/presign")
@limit_requests
@limit_presigns
def create() -> ResponseReturnValue:
    """Creates a share with its first upload link; with the secret of an existing one, renews the link."""
    body = parse_body(CreateRequest)
    set_share_id(body.shareId)
    declaration = declaration_of(body)
    if authorized_share():
        existing = require_share(UPLOAD)
        upload = services().shares.renew_upload(existing, declaration)
        return json_of(SignedLink(**link_fields(existing.share_id, upload)))
    creator = require_creator()
    if len(body.shareId) < MIN_NEW_ID_CHARACTERS:
        raise ApiError(
            400, "invalid_request", f"'shareId' must have at least {MIN_NEW_ID_CHARACTERS} characters."
        )
    lifetime = timedelta(seconds=body.expiresIn) if body.expiresIn else None
    access, generated = access_of(body.audience, body.password)
    share, secret = services().shares.create(
        body.shareId,
        body.sessionId,
        lifetime=lifetime,
        created_by=creator.token,
        member=creator.member_id,
        access=access,
    )
    audience = services().audiences.of(access.audience)
    audit("share_created", share.share_id, token=creator.token, audience=audience)
    count("shares_created")
    upload = services().shares.sign_upload(share, declaration)
    plugin = plugin_package(services().config.BASE_URL).release
    created = CreatedShare(
        **link_fields(share.share_id, upload),
        secret=secret,
        audience=audience,
        password=generated or UNSET,
        plugin=plugin,
    )
    return json_of(created), 201


@bp.delete("/share/<share_id>")
@bp.delete("/shares/<share_id>")
def delete(share_id: str) -> ResponseReturnValue:
    """Deletes a share and its document; for OpenCode itself, one that is gone already is a success."""
    try:
        share = services().shares.delete(share_id, presented_secret())
    except ShareNotFound:
        if is_secret_in_body():
            return {"ok": True}
        raise
    services().forget(share.cache_key)
    audit("share_deleted", share_id)
    count("shares_deleted")
    return {"ok": True}


def declaration_of(body: UploadRequest) -> UploadDeclaration:
    """What the client declares, checked against the server's limits. Raises ApiError (400, 413, 415)."""
    config = services().config
    if body.contentEncoding not in (None, "gzip"):
        raise ApiError(415, "unsupported_encoding", "'contentEncoding' may be 'gzip' or absent.")
    if body.size is None and config.UPLOAD_SIZE_REQUIRED:
        raise ApiError(400, "size_required", "This server needs 'size', the bytes that will be uploaded.")
    if body.size is not None and body.size > config.MAX_SESSION_BYTES:
        raise ApiError(413, "too_large", f"A document may have at most {config.MAX_SESSION_BYTES:,} bytes.")
    return UploadDeclaration(body.size, body.contentEncoding)


def link_fields(share_id: str, upload: SignedUpload) -> dict[str, Any]:
    expires_at = upload.share_expires_at
    return {
        "shareId": share_id,
        "url": f"{services().config.BASE_URL}/share/{share_id}",
        "presignedUrl": upload.link.url,
        "headers": upload.link.headers,
        "expiresAt": epoch_milliseconds(upload.expires_at),
        "createdAt": epoch_milliseconds(upload.created_at),
        **({"shareExpiresAt": epoch_milliseconds(expires_at)} if expires_at else {}),
    }
