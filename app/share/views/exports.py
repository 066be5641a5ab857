"""The session to take along: as JSON, as Markdown, and as a picture for link previews."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

from app.lib.budget import Budget
from app.lib.chunks import chunks
from app.render.transcript.markdown import transcript
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.blueprint import bp
from app.share.card.image import card
from app.share.pages.preview import preview_of
from app.share.pages.responses import document_view, page_version, save_page


@bp.get("/share/<share_id>.json")
@document_view(variant="json")
def as_json(version: DocumentVersion, budget: Budget) -> Response:
    """The document itself."""
    return Response(chunks(services().documents.json(version)), mimetype="application/json")


@bp.get("/share/<share_id>.md")
@document_view(variant="markdown")
def as_markdown(version: DocumentVersion, budget: Budget) -> Response:
    """The session as Markdown, to paste into an issue or another model."""
    markdown = services().documents.export(
        version, f"markdown.{page_version()}", lambda: _markdown(version, budget)
    )
    return Response(chunks(markdown), mimetype="text/markdown")


@bp.get("/share/<share_id>/card.png")
@document_view(variant="card")
def as_card(version: DocumentVersion, budget: Budget) -> Response:
    """The picture that chat programs show beside a link."""
    return save_page(version, budget, "card", lambda: _card(version), "image/png")


def _markdown(version: DocumentVersion, budget: Budget) -> Iterator[bytes]:
    url = f"{services().config.BASE_URL}/share/{version.share.share_id}"
    conversation = services().documents.index(version).conversation
    return (text.encode() for text in transcript(conversation, url, budget))


def _card(version: DocumentVersion) -> bytes:
    preview = preview_of(services().documents.index(version).session)
    return card(preview.title, preview.facts)
