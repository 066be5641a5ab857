"""OpenCode's own share protocol: an unmodified OpenCode makes a share and keeps it up to date.

With an account it calls the same below `/api/shares`. Reading and deleting are in `documents` and `shares`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from flask.typing import ResponseReturnValue
from msgspec import Raw

from app.api.auth import require_share
from app.api.blueprint import bp, limit_creations, limit_requests
from app.api.request_body import SessionId, body_of, refused_bodies
from app.api.tokens import require_creator
from app.db.models import NATIVE
from app.errors import ApiError
from app.http.metrics import count
from app.http.request_log import about
from app.lib.time_limit import TimeUp, timer
from app.opencode import Item, take_in
from app.redaction import redact_items
from app.services.container import parts

# Of processor time; a whole session of 20 MB takes some seconds.
REDACTION_SECONDS = 30


class CreateRequest(msgspec.Struct):
    sessionID: SessionId  # noqa: N815 - OpenCode's name


class SyncRequest(msgspec.Struct):
    """The secret in it `auth` reads."""

    data: Raw


@bp.post("/share")
@bp.post("/shares")
@limit_requests
@limit_creations
def create_native() -> ResponseReturnValue:
    """A new share, under the end of its session's id where that is free."""
    wanted = body_of(CreateRequest)
    share, secret = parts().shares.create_native(wanted.sessionID, created_by=require_creator())
    about(share.share_id)
    count("shares_created")
    return {
        "id": share.share_id,
        "url": f"{parts().config.BASE_URL}/share/{share.share_id}",
        "secret": secret,
    }


@bp.post("/share/<share_id>/sync")
@bp.post("/shares/<share_id>/sync")
def sync(share_id: str) -> ResponseReturnValue:
    """Notes what changed in a session; OpenCode sends all of it once, then at most a batch each second."""
    wanted = body_of(SyncRequest)
    share = require_share(NATIVE)
    with refused_bodies():
        items = take_in(wanted.data)
        if parts().config.SHARE_REDACT:
            items = _redacted(items)
    parts().folding.append(share, items)
    return {}


def _redacted(items: Sequence[Item]) -> list[Item]:
    """The items without the secrets that are recognised. Raises ApiError (422) when that takes too long."""
    try:
        with timer(REDACTION_SECONDS):
            found, _ = redact_items([msgspec.json.decode(item.data) for item in items])
    except TimeUp:
        sentence = "Looking for secrets in this took too long, so it was not stored."
        raise ApiError(422, "not_redacted", sentence) from None
    return [Item(item.type, Raw(msgspec.json.encode(data))) for item, data in zip(items, found, strict=True)]
