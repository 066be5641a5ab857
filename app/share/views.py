"""The page of a share, and what it links to: texts in full and attached files."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, abort, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.documents import Document
from app.parts import parts
from app.render import Budget, Renderer, contents
from app.session import Conversation, read_conversation
from app.session.find import find_block, find_file
from app.session.texts import texts
from app.share.blueprint import bp
from app.share.paging import page_of
from app.shares import ShareNotFound

REFRESH_SECONDS = 3
WHO = {"user": "Prompt", "assistant": "Assistant", "unknown": "Message"}
# Nothing in a file that somebody attached may run or be framed.
FILE_POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True)
class ShareLinks:
    """The addresses of one share, for its renderer."""

    share_id: str

    def full(self, block_id: str, name: str) -> str:
        return url_for("share.full", share_id=self.share_id, block_id=block_id, name=name)

    def file(self, file_id: str) -> str:
        return url_for("share.file", share_id=self.share_id, file_id=file_id)


@bp.get("/share/<share_id>")
def show(share_id: str) -> ResponseReturnValue:
    """One page of the session; before the first upload, a page that looks again by itself."""
    conversation = _conversation(share_id)
    if conversation is None:
        return _waiting()
    page = page_of(conversation, request.args.get("page", 1, type=int))
    if page is None:
        abort(404)
    html = render_template(
        "session.html",
        share_id=share_id,
        conversation=conversation,
        page=page,
        renderer=Renderer(ShareLinks(share_id), conversation.directory, Budget()),
        who=WHO,
    )
    response = make_response(html)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@bp.get("/share/<share_id>/full/<block_id>/<name>")
def full(share_id: str, block_id: str, name: str) -> ResponseReturnValue:
    """One text of a block, whole, as plain text."""
    block = find_block(_uploaded(share_id), block_id)
    found = texts(block).get(name) if block else None
    if found is None:
        abort(404)
    return _plain_file(Response(found, mimetype="text/plain"))


@bp.get("/share/<share_id>/files/<file_id>")
def file(share_id: str, file_id: str) -> ResponseReturnValue:
    """The contents of an attached file: pictures and text to look at, anything else to download."""
    attached = find_file(_uploaded(share_id), file_id)
    found = contents(attached) if attached else None
    if found is None:
        abort(404)
    response = Response(found.data, mimetype=found.mime)
    if not found.is_shown:
        response.headers.set("Content-Disposition", "attachment", filename=found.name)
    return _plain_file(response)


def _plain_file(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _uploaded(share_id: str) -> Conversation:
    return _conversation(share_id) or abort(404)


def _conversation(share_id: str) -> Conversation | None:
    """The session of a live share, None before its first upload. Raises ShareNotFound."""
    if parts().shares.find(share_id) is None:
        raise ShareNotFound
    document = parts().documents.fetch(share_id)
    return read_conversation(document.json) if isinstance(document, Document) else None


def _waiting() -> ResponseReturnValue:
    page = render_template(
        "message.html",
        heading="On its way",
        sentence="This session is being uploaded. The page looks again by itself.",
        refresh_seconds=REFRESH_SECONDS,
    )
    return page, 202, {"Cache-Control": "no-store"}
