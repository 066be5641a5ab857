"""Blueprint `uploads`: where the signed links of the disk store lead; an S3 store takes its own."""

from __future__ import annotations

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ClientDisconnected

from app.parts import parts
from app.storage import DiskStore, UploadRefused, document_key

bp = Blueprint("uploads", __name__)


@bp.put("/api/upload/sessions/<share_id>.json")
def upload(share_id: str) -> ResponseReturnValue:
    """Takes the document of a live share, if link and headers are as signed."""
    store = parts().store
    if not isinstance(store, DiskStore):
        abort(404)
    max_bytes = parts().config.MAX_SESSION_BYTES
    request.max_content_length = max_bytes
    _refuse_deleted(share_id)
    key = document_key(share_id)
    try:
        store.receive(key, request.args, dict(request.headers), request.stream, max_bytes)
    except ClientDisconnected:
        raise UploadRefused(400, "cut_short", "The upload ended before its declared length.") from None
    try:
        _refuse_deleted(share_id)
    except UploadRefused:
        store.delete(key)
        raise
    return {"ok": True}


def _refuse_deleted(share_id: str) -> None:
    if parts().shares.find(share_id) is None:
        raise UploadRefused(403, "share_deleted", "The share of this upload link has been removed.")
