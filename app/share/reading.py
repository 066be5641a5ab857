"""What every page begins with: the live share, its document, and whether the reader has it already."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Response, make_response, render_template, request

from app.assets import release
from app.compression import accepted_encoding, encoded_response
from app.documents import Edition
from app.errors import NotUploaded
from app.parts import parts

REFRESH_SECONDS = 3

# Makes a page of an edition, and tells whether it may be kept.
PageMaker = Callable[[Edition], tuple[str, bool]]


def answer(share_id: str, make: Callable[[Edition], Response], variant: str = "page") -> Response:
    """What `make` makes of the share's document, unless the reader holds that version already (304).

    `variant` names what is made of it where one address has several. A share whose document may still
    arrive is answered by a page that looks again by itself. Raises ShareNotFound, NotUploaded,
    UnreadableDocument or StorageError.
    """
    life = parts().shares.life(share_id)
    edition = parts().documents.current(life)
    if edition is None:
        if life.links_end < datetime.now(UTC):
            raise NotUploaded
        return _waiting()
    tag = _tag(edition, variant)
    response = Response(status=304) if request.if_none_match.contains_weak(tag) else make(edition)
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(["Accept", "Accept-Encoding"])
    return response


def etag_of(edition: Edition) -> str:
    """The ETag of every page of an edition, as a header has it."""
    return f'W/"{_tag(edition, "page")}"'


def page(share_id: str, name: str, make: PageMaker) -> Response:
    """The page `name`, made once per edition and encoding and kept for the next reader."""

    def kept(edition: Edition) -> Response:
        encoding = accepted_encoding(request)
        name_of_release = f"{name}.{_made_by()}"
        body = parts().pages.get(edition, name_of_release, encoding)
        if body is None:
            html, may_be_kept = make(edition)
            if not may_be_kept:
                return make_response(html)
            body = parts().pages.put(edition, name_of_release, encoding, html.encode())
        return encoded_response(body, encoding, "text/html")

    return answer(share_id, kept)


def _tag(edition: Edition, variant: str) -> str:
    return f"{edition.etag}.{_made_by()}.{variant}"


def _made_by() -> str:
    """What makes pages beside their document: the code, and the settings that stand in them."""
    config = parts().config
    settings = f"{config.BASE_URL} {config.PREVIEW_TITLES}"
    return f"{release()}{zlib.crc32(settings.encode()):08x}"


def _waiting() -> Response:
    html = render_template(
        "message.html",
        heading="On its way",
        sentence="This session is being uploaded. The page looks again by itself.",
        refresh_seconds=REFRESH_SECONDS,
    )
    return make_response(html, 202, {"Cache-Control": "no-store"})
