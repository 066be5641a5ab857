"""What a page links to instead of holding it: texts in full, and attached files."""

from __future__ import annotations

from io import BytesIO

from flask import Response, abort, send_file

from app.lib.budget import Budget
from app.opencode.paging.find import find_block, find_file
from app.render import contents, full_text
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.blueprint import bp
from app.share.pages.responses import document_view

# Nothing in a file that somebody attached may run or be framed.
FILE_POLICY = "default-src 'none'; sandbox"
MAX_NAME = 100


@bp.get("/share/<share_id>/full/<block_id>/<path:name>")
@document_view()
def full(version: DocumentVersion, budget: Budget, block_id: str, name: str) -> Response:
    """One text of a block, whole, as plain text; all of them as `call`."""
    match = find_block(services().documents.ids(version), block_id)
    text = full_text(match[0], name) if match else None
    if text is None:
        abort(404)
    return _sandboxed(Response(text, mimetype="text/plain"))


@bp.get("/share/<share_id>/files/<file_id>")
@document_view()
def file(version: DocumentVersion, budget: Budget, file_id: str) -> Response:
    """The contents of an attached file: pictures and text are shown, anything else is downloaded."""
    attached = find_file(services().documents.ids(version), file_id)
    data = contents(attached) if attached else None
    if data is None:
        abort(404)
    response = send_file(
        BytesIO(data.data),
        mimetype=data.mime,
        as_attachment=not data.is_shown,
        download_name=_file_name(data.name),
        etag=False,
    )
    return _sandboxed(response)


def _file_name(name: str) -> str:
    """A name that may stand in a header."""
    return "".join(character if character.isprintable() else "_" for character in name[:MAX_NAME])


def _sandboxed(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response
