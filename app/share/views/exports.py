"""The session to take along: as JSON, as Markdown, and as a picture for link previews."""

from __future__ import annotations

from flask import Response
from flask.typing import ResponseReturnValue

from app.render.transcript.markdown import transcript
from app.services.container import parts
from app.services.documents.service import Edition
from app.services.documents.stored_document import in_pieces
from app.share.blueprint import bp
from app.share.card.image import card
from app.share.pages.preview import preview_of
from app.share.pages.responses import answer


@bp.get("/share/<share_id>.json")
def as_json(share_id: str) -> ResponseReturnValue:
    """The document itself."""

    def make(edition: Edition) -> Response:
        return Response(in_pieces(edition.json), mimetype="application/json")

    return answer(share_id, make, variant="json")


@bp.get("/share/<share_id>.md")
def as_markdown(share_id: str) -> ResponseReturnValue:
    """The session as Markdown, to paste into an issue or another model."""

    def make(edition: Edition) -> Response:
        url = f"{parts().config.BASE_URL}/share/{share_id}"
        return Response("".join(transcript(edition.index.conversation, url)), mimetype="text/markdown")

    return answer(share_id, make, variant="markdown")


@bp.get("/share/<share_id>/card.png")
def as_card(share_id: str) -> ResponseReturnValue:
    """The picture that chat programs show beside a link."""

    def make(edition: Edition) -> Response:
        preview = preview_of(edition.index.session)
        return Response(card(preview.title, preview.facts), mimetype="image/png")

    return answer(share_id, make, variant="card")
