"""What a page links to instead of holding it: texts in full, and attached files."""

from __future__ import annotations

from io import BytesIO

from flask import Response, abort, send_file
from flask.typing import ResponseReturnValue

from app.opencode.paging.find import find_block, find_file
from app.render import contents, full_text
from app.services.documents.service import Edition
from app.share.blueprint import bp
from app.share.pages.responses import answer

# Nothing in a file that somebody attached may run or be framed.
FILE_POLICY = "default-src 'none'; sandbox"
MAX_NAME = 100


@bp.get("/share/<share_id>/full/<block_id>/<path:name>")
def full(share_id: str, block_id: str, name: str) -> ResponseReturnValue:
    """One text of a block, whole, as plain text; all of them as `call`."""

    def make(edition: Edition) -> Response:
        place = find_block(edition.index, block_id)
        found = full_text(place[0], name) if place else None
        if found is None:
            abort(404)
        return _harmless(Response(found, mimetype="text/plain"))

    return answer(share_id, make)


@bp.get("/share/<share_id>/files/<file_id>")
def file(share_id: str, file_id: str) -> ResponseReturnValue:
    """The contents of an attached file: pictures and text to look at, anything else to download."""

    def make(edition: Edition) -> Response:
        attached = find_file(edition.index, file_id)
        found = contents(attached) if attached else None
        if found is None:
            abort(404)
        response = send_file(
            BytesIO(found.data),
            mimetype=found.mime,
            as_attachment=not found.is_shown,
            download_name=_file_name(found.name),
            etag=False,
        )
        return _harmless(response)

    return answer(share_id, make)


def _file_name(name: str) -> str:
    """A name that may stand in a header."""
    return "".join(character if character.isprintable() else "_" for character in name[:MAX_NAME])


def _harmless(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response
