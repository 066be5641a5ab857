"""Blueprint `uploads`: where the signed links of the disk store lead; an S3 store takes its own."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ClientDisconnected, HTTPException

from app.services.container import parts
from app.services.shares.live_share import Life
from app.services.shares.service import ShareExpired, ShareNotFound
from app.storage import DiskStore, UploadRefused, document_key

CHUNK_BYTES = 256 * 1024

bp = Blueprint("uploads", __name__)


@bp.put("/api/upload/sessions/<share_id>.json")
def upload(share_id: str) -> ResponseReturnValue:
    """Takes the document of a live share, if link and headers are as signed."""
    store = parts().store
    if not isinstance(store, DiskStore):
        abort(404)
    max_bytes = parts().config.MAX_SESSION_BYTES
    request.max_content_length = max_bytes
    key = document_key(share_id)
    try:
        life = _life(share_id)
        store.receive(
            key,
            request.args,
            dict(request.headers),
            request.stream,
            max_bytes,
            before_storing=lambda: _refuse_other_life(life),
        )
    except UploadRefused:
        _drain(max_bytes)
        raise
    except ClientDisconnected:
        raise UploadRefused(400, "cut_short", "The upload ended before its declared length.") from None
    try:
        _refuse_other_life(life)
    except UploadRefused:
        store.delete(key)
        raise
    return {"ok": True}


def _life(share_id: str) -> Life:
    try:
        return parts().shares.life(share_id)
    except ShareNotFound:
        raise _deleted() from None
    except ShareExpired as expired:
        raise UploadRefused(403, "share_expired", str(expired)) from None


def _refuse_other_life(life: Life) -> None:
    """A share may be deleted, and its id be taken by another, while a slow upload is under way."""
    if _life(life.share_id).name != life.name:
        raise _deleted()


def _deleted() -> UploadRefused:
    return UploadRefused(403, "share_deleted", "The share of this upload link has been removed.")


def _drain(max_bytes: int) -> None:
    """Reads what a client is still sending: one that is cut off while it sends never sees the answer."""
    left = max_bytes
    with suppress(HTTPException, OSError):
        while left > 0 and (piece := request.stream.read(CHUNK_BYTES)):
            left -= len(piece)
