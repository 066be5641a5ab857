"""What every page begins with: the live share, its document, and whether the reader has it already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Response, make_response, render_template, request

from app.assets import release
from app.documents import Document, Unchanged
from app.parts import parts
from app.session import Conversation, read_conversation
from app.shares import LINK_LIFETIME, ShareNotFound

REFRESH_SECONDS = 3


@dataclass(frozen=True)
class Reading:
    """The document that a request reads; `conversation` takes it apart when a page is really made."""

    document: Document

    @property
    def conversation(self) -> Conversation:
        return read_conversation(self.document.json)


def answer(share_id: str, make: Callable[[Reading], Response | str]) -> Response:
    """What `make` makes of the share's document, unless the reader holds that version already (304).

    A share whose document has not arrived is answered by a page that looks again by itself. Raises
    ShareNotFound, UnreadableDocument or StorageError.
    """
    share = parts().shares.find(share_id)
    if share is None:
        raise ShareNotFound
    is_settled = share.last_link_at + LINK_LIFETIME < datetime.now(UTC)
    life = share.created_at.isoformat()
    found = parts().documents.fetch(share_id, _held(), life=life, is_settled=is_settled)
    if found is None:
        return _waiting()
    response = Response(status=304) if isinstance(found, Unchanged) else make_response(make(Reading(found)))
    response.set_etag(f"{found.etag}.{release()}", weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(["Accept", "Accept-Encoding"])
    return response


def _held() -> str | None:
    """The version of the document from which this release made the page that the reader holds."""
    held = list(request.if_none_match.as_set(include_weak=True))
    if len(held) != 1:
        return None
    etag, _, made_by = held[0].rpartition(".")
    return etag if etag and made_by == release() else None


def _waiting() -> Response:
    page = render_template(
        "message.html",
        heading="On its way",
        sentence="This session is being uploaded. The page looks again by itself.",
        refresh_seconds=REFRESH_SECONDS,
    )
    return make_response(page, 202, {"Cache-Control": "no-store"})
