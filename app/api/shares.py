"""The life of a share over HTTP: create, renew the upload link, delete."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import Meta

from app.api.auth import authorized_share, is_secret_in_body, presented_secret, require_share
from app.api.blueprint import bp, limit_presigns, limit_requests
from app.api.request_body import SessionId, body_of
from app.api.tokens import require_creator
from app.db.models import UPLOAD
from app.errors import ApiError
from app.http.metrics import count
from app.http.request_log import about
from app.services.container import parts
from app.services.shares.service import SHARE_ID, Declared, ShareNotFound, Upload

ShareId = Annotated[str, Meta(pattern=rf"^{SHARE_ID}\Z")]

MAX_EXPIRES_IN = 10 * 365 * 24 * 60 * 60


class UploadRequest(msgspec.Struct):
    """What is about to be uploaded; `size` in bytes as sent."""

    size: Annotated[int, Meta(ge=1)] | None = None
    contentEncoding: str | None = None  # noqa: N815 - names of the API


class CreateRequest(UploadRequest, kw_only=True):
    """`expiresIn` is how many seconds a new share is to last, where the server allows that many."""

    shareId: ShareId  # noqa: N815
    sessionId: SessionId  # noqa: N815
    expiresIn: Annotated[int, Meta(ge=1, le=MAX_EXPIRES_IN)] | None = None  # noqa: N815


@bp.post("/share/presign")
@limit_requests
@limit_presigns
def create() -> ResponseReturnValue:
    """A new share with its first upload link; with the secret of an existing one, just another link."""
    wanted = body_of(CreateRequest)
    about(wanted.shareId)
    declared = _declared(wanted)
    if authorized_share():
        known = require_share(UPLOAD)
        return _link(known.share_id, parts().shares.renew_upload(known, declared))
    lifetime = timedelta(seconds=wanted.expiresIn) if wanted.expiresIn else None
    share, secret = parts().shares.create(
        wanted.shareId, wanted.sessionId, lifetime=lifetime, created_by=require_creator()
    )
    count("shares_created")
    return {**_link(share.share_id, parts().shares.sign_upload(share, declared)), "secret": secret}, 201


@bp.post("/share/<share_id>/presign")
def renew(share_id: str) -> ResponseReturnValue:
    """A fresh upload link for the share's document."""
    return _link(
        share_id, parts().shares.renew_upload(require_share(UPLOAD), _declared(body_of(UploadRequest)))
    )


@bp.delete("/share/<share_id>")
@bp.delete("/shares/<share_id>")
def delete(share_id: str) -> ResponseReturnValue:
    """Ends the share and removes its document; for OpenCode itself one that is gone already is a success."""
    try:
        life = parts().shares.delete(share_id, presented_secret())
    except ShareNotFound:
        if is_secret_in_body():
            return {"ok": True}
        raise
    parts().forget(life.name)
    count("shares_deleted")
    return {"ok": True}


def _declared(wanted: UploadRequest) -> Declared:
    config = parts().config
    if wanted.contentEncoding not in (None, "gzip"):
        raise ApiError(415, "unsupported_encoding", "'contentEncoding' may be 'gzip' or absent.")
    if wanted.size is None and config.UPLOAD_SIZE_REQUIRED:
        raise ApiError(400, "size_required", "This server needs 'size', the bytes that will be uploaded.")
    if wanted.size is not None and wanted.size > config.MAX_SESSION_BYTES:
        raise ApiError(413, "too_large", f"A document may have at most {config.MAX_SESSION_BYTES:,} bytes.")
    return Declared(wanted.size, wanted.contentEncoding)


def _link(share_id: str, upload: Upload) -> dict[str, Any]:
    ends = upload.share_expires_at
    return {
        "shareId": share_id,
        "url": f"{parts().config.BASE_URL}/share/{share_id}",
        "presignedUrl": upload.link.url,
        "headers": upload.link.headers,
        "expiresAt": _epoch_milliseconds(upload.expires_at),
        "createdAt": _epoch_milliseconds(upload.created_at),
        **({"shareExpiresAt": _epoch_milliseconds(ends)} if ends else {}),
    }


def _epoch_milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
