"""What every view of a document does around its own work: versions, conditional requests, cached pages."""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial, wraps
from typing import Concatenate, ParamSpec

from flask import Response, make_response, render_template, request
from sqlalchemy.exc import DBAPIError, TimeoutError

from app.errors import NotUploaded
from app.http import response_cache
from app.http.compression import ENCODERS, accepted_encoding, encoded_response
from app.http.metrics import count
from app.lib.build_id import build_id
from app.opencode import DamagedIndex, UnreadableDocument
from app.services.container import services
from app.services.documents.service import Documents, DocumentVersion, VersionGone
from app.services.shares.live_share import LiveShare
from app.storage import StorageError

REFRESH_SECONDS = 3
# A version may be evicted, or found damaged, while it is rendered.
ATTEMPTS = 3
# The header Cache-Status of RFC 9211, for pages that are served while the database does not answer.
OUTAGE_STATUS = "better-share; hit; detail=database-unavailable"

P = ParamSpec("P")
View = Callable[Concatenate[DocumentVersion, P], Response]

logger = logging.getLogger(__name__)


def document_view(variant: str = "page") -> Callable[[View[P]], Callable[..., Response]]:
    """Makes a view of a DocumentVersion one of a `share_id`.

    The view is called with the share's current version, unless the client has that already (304) or it is
    still being uploaded (a page that reloads itself). Its response gets an ETag, `Cache-Control: private,
    no-cache` and `Vary`; one that is `no-store` gets no ETag, since the next may be better. `variant`
    distinguishes what one address serves. While the database does not answer, it is the version that was
    cached last, and `Cache-Status` (RFC 9211) says so. If the version is stale, the next is fetched after the
    response.

    Raises ShareNotFound, ShareExpired, NotUploaded, UnreadableDocument or StorageError.
    """

    def decorate(view: View[P]) -> Callable[..., Response]:
        @wraps(view)
        def respond(share_id: str, *args: P.args, **kwargs: P.kwargs) -> Response:
            share, version = _current(share_id)
            for _ in range(ATTEMPTS):
                if version is None:
                    return _waiting(share)
                try:
                    return _respond(version, variant, partial(view, version, *args, **kwargs))
                except DamagedIndex:
                    services().cache.drop_damaged(share)
                except VersionGone:
                    pass
                # The share may be gone as well.
                version = services().documents.reload(services().shares.get_live(share_id))
            raise StorageError("the versions of a session replace each other too fast to be read")

        return respond

    return decorate


def cached_page(version: DocumentVersion, name: str) -> Response | None:
    """The page `name` of a version, if it was saved in the encoding that the client accepts."""
    encoding = accepted_encoding(request)
    body = services().cache.page(version.share, version.etag, _page_file(name, encoding))
    count("cache_misses" if body is None else "cache_hits")
    return None if body is None else _page(version, body, encoding)


def save_page(version: DocumentVersion, name: str, html: str, *, is_complete: bool = True) -> Response:
    """The response with a page that was just rendered; one that is complete is saved for the next reader."""
    count("renders")
    if not is_complete:
        return make_response(html, {"Cache-Control": "no-store"})
    encoding = accepted_encoding(request)
    body = ENCODERS[encoding](html.encode())
    services().cache.write_page(version.share, version.etag, _page_file(name, encoding), body)
    return _page(version, body, encoding)


def etag_of(version: DocumentVersion) -> str:
    """The ETag of every page of a version, as a header has it."""
    return f'W/"{_tag(version, "page")}"'


def page_version() -> str:
    """The version of the page format: the build, and the settings that occur in the HTML."""
    config = services().config
    return _page_version(config.BASE_URL, config.PREVIEW_TITLES)


def file_name(id: str) -> str:
    """An id as part of a file name: whatever a client sent, it becomes 16 hexadecimal digits."""
    return hashlib.sha256(id.encode()).hexdigest()[:16]


@cache
def _page_version(*settings: object) -> str:
    return f"{build_id()}{zlib.crc32(repr(settings).encode()):08x}"


def _current(share_id: str) -> tuple[LiveShare, DocumentVersion | None]:
    """A live share and its current version; for a while also without the database, the cached one."""
    try:
        share = services().shares.get_live(share_id)
    except (DBAPIError, TimeoutError):
        recent = services().recent.get(share_id)
        if recent and (version := services().documents.cached(recent)):
            return recent, version
        raise
    return share, services().documents.current(share)


def _respond(version: DocumentVersion, variant: str, render: Callable[[], Response]) -> Response:
    tag = _tag(version, variant)
    response = Response(status=304) if request.if_none_match.contains_weak(tag) else render()
    _add_headers(response, tag)
    if version.is_unconfirmed:
        response.headers["Cache-Status"] = OUTAGE_STATUS
    if version.is_stale:
        documents = services().documents
        response.call_on_close(lambda: _refresh(documents, version.share))
    return response


def _page_file(name: str, encoding: str) -> str:
    return f"{name}.{page_version()}.{encoding}"


def _page(version: DocumentVersion, body: bytes, encoding: str) -> Response:
    made_from = response_cache.Version(version.share.cache_key, version.etag)
    response_cache.mark_cacheable(request.environ, made_from, body)
    return encoded_response(body, encoding, "text/html")


def _tag(version: DocumentVersion, variant: str) -> str:
    return f"{version.etag}.{page_version()}.{variant}"


def _add_headers(response: Response, tag: str) -> None:
    if not response.cache_control.no_store:
        response.set_etag(tag, weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, Accept-Encoding"


def _waiting(share: LiveShare) -> Response:
    """A page that reloads itself, while an upload link is valid. Raises NotUploaded afterwards.

    Raises ShareNotFound if the share was deleted while its document was looked for.
    """
    services().shares.get_live(share.share_id)
    if share.uploads_end_at < datetime.now(UTC):
        raise NotUploaded
    html = render_template(
        "status.html",
        heading="On its way",
        sentence="This session is being uploaded. The page reloads by itself.",
        refresh_seconds=REFRESH_SECONDS,
    )
    return make_response(html, 202, {"Cache-Control": "no-store"})


def _refresh(documents: Documents, share: LiveShare) -> None:
    """Fetches a newer version, once the reader has the response."""
    try:
        documents.refresh(share)
    except (StorageError, UnreadableDocument) as error:
        logger.warning("a newer version could not be read: %s", error)
