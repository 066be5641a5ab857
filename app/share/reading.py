"""What every page begins with: the live share, its document, and whether the reader has it already."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, make_response, render_template, request

from app.assets import release
from app.compression import accepted_encoding, encoded_response
from app.documents import Edition
from app.parts import parts

REFRESH_SECONDS = 3

# Makes a page of an edition, and tells whether it may be kept.
PageMaker = Callable[[Edition], tuple[str, bool]]


def answer(share_id: str, make: Callable[[Edition], Response]) -> Response:
    """What `make` makes of the share's document, unless the reader holds that version already (304).

    A share whose document has not arrived is answered by a page that looks again by itself. Raises
    ShareNotFound, UnreadableDocument or StorageError.
    """
    edition = parts().documents.current(parts().shares.life(share_id))
    if edition is None:
        return _waiting()
    is_held = request.if_none_match.contains_weak(_tag(edition))
    response = Response(status=304) if is_held else make(edition)
    response.set_etag(_tag(edition), weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(["Accept", "Accept-Encoding"])
    return response


def etag_of(edition: Edition) -> str:
    """The ETag of every page of an edition, as a header has it."""
    return f'W/"{_tag(edition)}"'


def page(share_id: str, name: str, make: PageMaker) -> Response:
    """The page `name`, made once per edition and encoding and kept for the next reader."""

    def kept(edition: Edition) -> Response:
        encoding = accepted_encoding(request)
        name_of_release = f"{name}.{release()}"
        body = parts().pages.get(edition, name_of_release, encoding)
        if body is None:
            html, may_be_kept = make(edition)
            if not may_be_kept:
                return make_response(html)
            body = parts().pages.put(edition, name_of_release, encoding, html.encode())
        return encoded_response(body, encoding, "text/html")

    return answer(share_id, kept)


def _tag(edition: Edition) -> str:
    return f"{edition.etag}.{release()}"


def _waiting() -> Response:
    html = render_template(
        "message.html",
        heading="On its way",
        sentence="This session is being uploaded. The page looks again by itself.",
        refresh_seconds=REFRESH_SECONDS,
    )
    return make_response(html, 202, {"Cache-Control": "no-store"})
