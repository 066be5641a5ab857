"""OpenCode's own share protocol: an unmodified OpenCode creates a share and keeps it up to date.

With an account it calls the same below `/api/shares`. Reading and deleting are in `documents` and `shares`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import Raw
from msgspec.structs import asdict

from app.api.auth import presented_secret, require_creator, require_share
from app.api.blueprint import bp
from app.api.rate_limits import limit_creations, limit_requests
from app.api.request_body import (
    SessionId,
    as_bad_request,
    body_bytes,
    discard_body,
    parse_body,
)
from app.db.models import NATIVE
from app.errors import ApiError
from app.http.metrics import count
from app.http.request_log import set_share_id
from app.lib.time_limit import TimeLimitExceeded, cpu_time_limit
from app.opencode import Item, require_spare_levels, sanitize_item, validate_batch
from app.redaction import redact_items
from app.services.access.audit import audit
from app.services.container import services
from app.services.documents.batch import Batch
from app.services.shares.errors import SealedSecret
from app.services.shares.missing_plugin import note_missing_plugin

# Processor time; a whole session of 20 MB takes some seconds.
REDACTION_SECONDS = 30


class CreateNativeRequest(msgspec.Struct):
    sessionID: SessionId  # noqa: N815 - OpenCode's name


class NativeShare(msgspec.Struct):
    """A new share, in OpenCode's names."""

    id: str
    url: str
    secret: str


class SyncRequest(msgspec.Struct):
    """`data` is a JSON list of `{type, data}`; the secret beside it is for `auth`."""

    data: Raw


@bp.post("/share")
@bp.post("/shares")
@limit_requests
@limit_creations
def create_native() -> ResponseReturnValue:
    """Creates a share, named after the end of its session's id where that is free."""
    body = parse_body(CreateNativeRequest)
    creator = require_creator()
    share, secret = services().shares.create_native(
        body.sessionID, created_by=creator.token, member=creator.member_id
    )
    set_share_id(share.share_id)
    audit("share_created", share.share_id, token=creator.token, audience=services().audiences.of(None))
    count("shares_created")
    url = f"{services().config.BASE_URL}/share/{share.share_id}"
    return asdict(NativeShare(share.share_id, url, secret))


@bp.post("/share/<share_id>/sync")
@bp.post("/shares/<share_id>/sync")
def sync(share_id: str) -> ResponseReturnValue:
    """Stores what changed in a session: all of it once, and then at most one batch a second."""
    try:
        share = require_share(NATIVE)
    except SealedSecret:
        note_missing_plugin(share_id, presented_secret())
        raise
    services().checkpointer.append(share, _batch())
    return {}


def _batch() -> Batch:
    """What the request brings, without what must not be stored. Raises ApiError."""
    with as_bad_request():
        require_spare_levels(body_bytes())
        items = validate_batch(parse_body(SyncRequest).data)
        # It may be a whole session, and so may the items.
        discard_body()
        if services().config.SHARE_REDACT:
            items = _redact(items)
    return Batch(items)


def _redact(items: Sequence[Item]) -> list[Item]:
    """The items without recognised secrets. Raises ApiError (422) when finding them takes too long."""
    try:
        with cpu_time_limit(REDACTION_SECONDS):
            decoded = [msgspec.json.decode(b"".join(sanitize_item(item))) for item in items]
            redacted, _ = redact_items([item["data"] for item in decoded], services().scanner)
    except TimeLimitExceeded:
        sentence = "Looking for secrets in this took too long, so it was not stored."
        raise ApiError(422, "not_redacted", sentence) from None
    return [
        Item(item.type, Raw(msgspec.json.encode(data))) for item, data in zip(items, redacted, strict=True)
    ]
