"""The document of a share as JSON: as it was uploaded, and as `opencode import` reads it."""

from __future__ import annotations

from flask import Response, request
from flask.typing import ResponseReturnValue

from app.api.auth import authorized_share
from app.api.blueprint import bp
from app.errors import NotUploaded
from app.http.request_log import set_share_id
from app.lib.chunks import chunks
from app.opencode import is_older_importer, sync_items
from app.services.access.import_tickets import read_ticket
from app.services.access.readers import require_reader
from app.services.container import services
from app.services.documents.sources import NotModified
from app.services.documents.stored_document import StoredDocument
from app.services.shares.errors import ShareNotFound
from app.services.shares.live_share import LiveShare

JSON_TYPE = "application/json"


@bp.get("/share/<share_id>")
def document(share_id: str) -> ResponseReturnValue:
    """The JSON of the session; what is stored as gzip passes through to clients that accept it."""
    stored = _fetch(_readable_share(share_id))
    if isinstance(stored, NotModified):
        return _conditional(Response(status=304), stored.etag)
    if stored.is_gzip and stored.is_as_stored and request.accept_encodings["gzip"] > 0:
        response = Response(chunks(stored.stored), mimetype=JSON_TYPE)
        response.headers["Content-Encoding"] = "gzip"
        return _conditional(response, stored.etag)
    return _conditional(Response(chunks(stored.json), mimetype=JSON_TYPE), stored.etag)


@bp.get("/share/<share_id>/data")
@bp.get("/shares/<share_id>/data")
def data(share_id: str) -> ResponseReturnValue:
    """The session as a list of `{type, data}`, for `opencode import <link>`, as its version takes it."""
    is_older = is_older_importer(request.user_agent.string)
    stored = _fetch(_importable_share(share_id))
    if isinstance(stored, NotModified):
        return _conditional(Response(status=304), stored.etag)
    items = sync_items(stored.json, for_older_importer=is_older)
    response = _conditional(Response(items, mimetype=JSON_TYPE), stored.etag)
    response.vary.add("User-Agent")
    return response


def _readable_share(share_id: str) -> LiveShare:
    """A live share that the client may read: its author with the secret, anybody else as on its pages."""
    share = services().live_shares.get(share_id)
    if authorized_share() is None:
        require_reader(share)
    return share


def _importable_share(id: str) -> LiveShare:
    """As above, also with a ticket behind the id; what is the id of a share is no ticket."""
    try:
        return _readable_share(id)
    except ShareNotFound:
        ticket = read_ticket(id)
        if ticket is None:
            raise
    set_share_id(ticket.share_id)
    share = services().live_shares.get(ticket.share_id)
    if not ticket.admits_to(share):
        require_reader(share)
    return share


def _fetch(share: LiveShare) -> StoredDocument | NotModified:
    stored = services().documents.fetch(share, _known_etag())
    if stored is None:
        raise NotUploaded
    return stored


def _conditional(response: Response, etag: str) -> Response:
    response.set_etag(etag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(["Accept-Encoding", "Cookie"])
    return response


def _known_etag() -> str | None:
    """The one version that the client says it has."""
    etags = list(request.if_none_match.as_set(include_weak=True))
    return etags[0] if len(etags) == 1 else None
