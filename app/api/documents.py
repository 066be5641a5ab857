"""The document of a share over HTTP: as it was uploaded, and as OpenCode imports it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request
from flask.typing import ResponseReturnValue

from app.api.blueprint import bp
from app.errors import NotUploaded
from app.opencode import native_items, read_conversation
from app.services.container import parts
from app.services.documents.service import Unchanged
from app.services.documents.stored_document import Document, in_pieces


@bp.get("/share/<share_id>")
def document(share_id: str) -> ResponseReturnValue:
    """The JSON of the session; stored gzip passes through untouched to clients that accept it."""
    return _answer(share_id, _whole)


@bp.get("/share/<share_id>/data")
@bp.get("/shares/<share_id>/data")
def data(share_id: str) -> ResponseReturnValue:
    """The session as a list of `{type, data}`, for `opencode import <link>`."""
    return _answer(share_id, lambda found: Response(native_items(found.json), mimetype="application/json"))


def _answer(share_id: str, make: Callable[[Document], Response]) -> Response:
    life = parts().shares.life(share_id)
    found = parts().documents.fetch(life, _known_etag())
    if found is None:
        raise NotUploaded
    response = Response(status=304) if isinstance(found, Unchanged) else make(found)
    response.set_etag(found.etag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Accept-Encoding")
    return response


def _whole(document: Document) -> Response:
    json = document.json
    read_conversation(json)
    if document.is_gzip and request.accept_encodings["gzip"] > 0:
        response = Response(in_pieces(document.stored), mimetype="application/json")
        response.headers["Content-Encoding"] = "gzip"
        return response
    return Response(in_pieces(json), mimetype="application/json")


def _known_etag() -> str | None:
    """The one version that the client says it has."""
    etags = list(request.if_none_match.as_set(include_weak=True))
    return etags[0] if len(etags) == 1 else None
