"""What every page begins with: the live share, its document, and whether the reader has it already."""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from flask import Response, make_response, render_template, request

from app.errors import NotUploaded
from app.http.compression import accepted_encoding, encoded_response
from app.http.metrics import count
from app.http.response_cache import may_be_repeated
from app.http.static_files import release
from app.opencode import UnreadableDocument
from app.services.container import parts
from app.services.documents.service import Documents, Edition
from app.services.shares.live_share import Life
from app.storage import StorageError

REFRESH_SECONDS = 3

logger = logging.getLogger(__name__)


class Made(NamedTuple):
    """A page as it was made of an edition, and whether it may be had again as it is."""

    html: str
    may_be_kept: bool = True


def answer(share_id: str, make: Callable[[Edition], Response], variant: str = "page") -> Response:
    """What `make` makes of the share's document, unless the reader holds that version already (304).

    `variant` names what is made of it where one address has several. An answer that is not to be stored gets
    no ETag: what is made next of the same document may be better. A share whose document may still
    arrive is answered by a page that looks again by itself. Raises ShareNotFound, ShareExpired,
    NotUploaded, UnreadableDocument or StorageError.
    """
    life = parts().shares.life(share_id)
    edition = parts().documents.current(life)
    if edition is None:
        if life.links_end < datetime.now(UTC):
            raise NotUploaded
        return _waiting()
    tag = _tag(edition, variant)
    response = Response(status=304) if request.if_none_match.contains_weak(tag) else make(edition)
    if not response.cache_control.no_store:
        response.set_etag(tag, weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, Accept-Encoding"
    if edition.is_due:
        documents = parts().documents
        response.call_on_close(lambda: _refresh(documents, life))
    return response


def etag_of(edition: Edition) -> str:
    """The ETag of every page of an edition, as a header has it."""
    return f'W/"{_tag(edition, "page")}"'


def page(share_id: str, name: str | Callable[[Edition], str], make: Callable[[Edition], Made]) -> Response:
    """The page `name`, made once per edition and encoding and kept for the next reader."""

    def kept(edition: Edition) -> Response:
        encoding = accepted_encoding(request)
        name_of_release = f"{name if isinstance(name, str) else name(edition)}.{made_by()}"
        body = parts().pages.get(edition, name_of_release, encoding)
        count("cache_misses" if body is None else "cache_hits")
        if body is None:
            made = make(edition)
            count("renders")
            if not made.may_be_kept:
                return make_response(made.html, {"Cache-Control": "no-store"})
            body = parts().pages.put(edition, name_of_release, encoding, made.html.encode())
        may_be_repeated(request.environ, edition, body)
        return encoded_response(body, encoding, "text/html")

    return answer(share_id, kept)


def file_name(id: str) -> str:
    """An id as a name in the cache; whatever a reader typed, it stays one short file name."""
    return hashlib.sha256(id.encode()).hexdigest()[:16]


def _refresh(documents: Documents, life: Life) -> None:
    """Looks for a newer version when the reader has the answer already."""
    try:
        documents.refresh(life)
    except (StorageError, UnreadableDocument) as error:
        logger.warning("a newer version could not be read: %s", error)


def _tag(edition: Edition, variant: str) -> str:
    return f"{edition.etag}.{made_by()}.{variant}"


def made_by() -> str:
    """What makes pages beside their document: the code, and the settings that stand in them."""
    config = parts().config
    return _made_with(config.BASE_URL, config.PREVIEW_TITLES)


@cache
def _made_with(*settings: object) -> str:
    return f"{release()}{zlib.crc32(repr(settings).encode()):08x}"


def _waiting() -> Response:
    html = render_template(
        "status.html",
        heading="On its way",
        sentence="This session is being uploaded. The page looks again by itself.",
        refresh_seconds=REFRESH_SECONDS,
    )
    return make_response(html, 202, {"Cache-Control": "no-store"})
