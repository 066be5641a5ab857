"""Blueprint `uploads`: where the signed links of the disk store lead; an S3 store takes its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ClientDisconnected, HTTPException

from app.opencode import Description, UnreadableDocument, description_of, read_conversation
from app.services.container import services
from app.services.documents.stored_document import StoredDocument
from app.services.shares.errors import ShareExpired, ShareNotFound
from app.services.shares.live_share import LiveShare
from app.storage import DiskStore, StagedObject, StorageError, UploadRefused, document_key, object_key

T = TypeVar("T")

CHUNK_BYTES = 256 * 1024

bp = Blueprint("uploads", __name__)


@bp.put("/api/upload/sessions/<share_id>.json")
def upload(share_id: str) -> ResponseReturnValue:
    """Stores the document of a live share, if link and headers are as signed, and it can be read."""
    share, (description, size) = _store(share_id, document_key(share_id), _require_readable)
    services().descriptions.replace(share, description, size)
    return {"ok": True}


@bp.put("/api/upload/sessions/<share_id>/<name>.json")
def upload_object(share_id: str, name: str) -> ResponseReturnValue:
    """Stores what is to be committed, and read then."""
    _store(share_id, object_key(share_id, name), lambda _: None)
    return {"ok": True}


def _store(share_id: str, key: str, check: Callable[[StagedObject], T]) -> tuple[LiveShare, T]:
    """Stores the body under `key` if the share lives, and returns what `check` found in it."""
    store = services().store
    if not isinstance(store, DiskStore):
        abort(404)
    max_bytes = services().config.MAX_SESSION_BYTES
    request.max_content_length = max_bytes
    try:
        share = _live_share(share_id)
        headers = dict(request.headers)
        with store.stage_upload(key, request.args, headers, request.stream, max_bytes) as staged:
            _require_same_share(share)
            found = check(staged)
            staged.commit()
    except UploadRefused:
        _drain(max_bytes)
        raise
    except StorageError:
        # Deleting a share deletes what is being uploaded for it.
        _require_same_share(share)
        raise
    except ClientDisconnected:
        raise UploadRefused(400, "cut_short", "The upload ended before its declared length.") from None
    try:
        _require_same_share(share)
    except UploadRefused:
        store.delete(key)
        raise
    return share, found


def _live_share(share_id: str) -> LiveShare:
    try:
        return services().live_shares.get(share_id)
    except ShareNotFound:
        raise _share_deleted() from None
    except ShareExpired as expired:
        raise UploadRefused(403, "share_expired", str(expired)) from None


def _require_same_share(share: LiveShare) -> None:
    """Raises UploadRefused if the share was deleted, and its id taken by another, during a slow upload."""
    if _live_share(share.share_id).cache_key != share.cache_key:
        raise _share_deleted()


def _require_readable(staged: StagedObject) -> tuple[Description, int]:
    """What the session is called, and its size as JSON.

    Raises UploadRefused for what nobody could read; the document that was there stays.
    """
    try:
        document = StoredDocument("", staged.read(), services().config.MAX_SESSION_BYTES)
        conversation = read_conversation(document.json)
        conversation.release()
        return description_of(conversation), len(document.json)
    except UnreadableDocument as error:
        raise UploadRefused(422, "unreadable_document", str(error)) from None


def _share_deleted() -> UploadRefused:
    return UploadRefused(403, "share_deleted", "The share of this upload link has been removed.")


def _drain(max_bytes: int) -> None:
    """Reads the rest of the body: a client that is cut off while it sends never sees the response."""
    left = max_bytes
    with suppress(HTTPException, OSError):
        while left > 0 and (chunk := request.stream.read(CHUNK_BYTES)):
            left -= len(chunk)
