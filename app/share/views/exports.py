"""The session to take along: as JSON, as Markdown, and as a picture for link previews."""

from __future__ import annotations

from flask import Response

from app.render.transcript.markdown import transcript
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.services.documents.stored_document import chunks
from app.share.blueprint import bp
from app.share.card.image import card
from app.share.pages.preview import preview_of
from app.share.pages.responses import document_view


@bp.get("/share/<share_id>.json")
@document_view(variant="json")
def as_json(version: DocumentVersion) -> Response:
    """The document itself."""
    return Response(chunks(services().documents.json(version)), mimetype="application/json")


@bp.get("/share/<share_id>.md")
@document_view(variant="markdown")
def as_markdown(version: DocumentVersion) -> Response:
    """The session as Markdown, to paste into an issue or another model."""
    url = f"{services().config.BASE_URL}/share/{version.share.share_id}"
    conversation = services().documents.index(version).conversation
    return Response("".join(transcript(conversation, url)), mimetype="text/markdown")


@bp.get("/share/<share_id>/card.png")
@document_view(variant="card")
def as_card(version: DocumentVersion) -> Response:
    """The picture that chat programs show beside a link."""
    preview = preview_of(services().documents.index(version).session)
    return Response(card(preview.title, preview.facts), mimetype="image/png")
