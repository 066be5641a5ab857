"""What every view of a document does around its own work: versions, conditional requests, cached pages."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial, wraps
from typing import Concatenate, NamedTuple, ParamSpec
from zlib import crc32

from flask import Response, copy_current_request_context, make_response, render_template, request
from sqlalchemy.exc import DBAPIError, TimeoutError

from app.errors import NotUploaded
from app.http import response_cache
from app.http.compression import DECODERS, ENCODERS, accepted_encoding, encoded_response
from app.http.metrics import count
from app.lib.budget import Budget
from app.lib.build_id import build_id
from app.lib.time_limit import TimeLimitExceeded, cpu_time_limit
from app.opencode import DamagedIndex, UnreadableDocument
from app.services.access.readers import require_reader
from app.services.container import services
from app.services.documents.service import DocumentVersion, VersionGone
from app.services.shares.errors import ShareError
from app.services.shares.live_share import LiveShare
from app.storage import StorageError

REFRESH_SECONDS = 3
# A version may be evicted, or found damaged, while it is rendered.
ATTEMPTS = 3
# Of one share, for pages that are seldom the same.
LOCKS = 8
# Of processor time, for a page in spite of its budget; a long session's are below a second.
MAX_PAGE_SECONDS = 20
# How long a page is kept that the budget cut short; the next try may show more of it.
CUT_PAGE_SECONDS = 600
# The header Cache-Status of RFC 9211, for pages that are served while the database does not answer.
OUTAGE_STATUS = "better-share; hit; detail=database-unavailable"

P = ParamSpec("P")
View = Callable[Concatenate[DocumentVersion, Budget, P], Response]

logger = logging.getLogger(__name__)


def document_view(
    variant: str = "page", budget: Callable[[], Budget] = Budget
) -> Callable[[View[P]], Callable[..., Response]]:
    """Makes a view of a DocumentVersion one of a `share_id`.

    The view is called with the share's current version and the budget of the response, unless the client has
    that version already (304) or it is still being uploaded (a page that reloads itself). Its response gets
    an ETag, `Cache-Control: private, no-cache` and `Vary`; one that is `no-store` gets no ETag, since the
    next may be better. `variant` distinguishes what one address serves. While the database does not answer,
    it is the version that was cached last, and `Cache-Status` (RFC 9211) says so. If the version is stale,
    the next is fetched after the response.

    Raises ShareNotFound, ShareExpired, PasswordRequired, NotUploaded, UnreadableDocument or StorageError.
    """

    def decorate(view: View[P]) -> Callable[..., Response]:
        @wraps(view)
        def respond(share_id: str, *args: P.args, **kwargs: P.kwargs) -> Response:
            share, version = _current(share_id)
            for _ in range(ATTEMPTS):
                if version is None:
                    return _waiting(share)
                try:
                    return _respond(version, variant, partial(view, version, budget(), *args, **kwargs))
                except DamagedIndex:
                    services().cache.drop_damaged(share)
                except VersionGone:
                    pass
                # The share may be gone as well.
                version = services().documents.reload(_readable(share_id))
            raise StorageError("the versions of a session replace each other too fast to be read")

        return respond

    return decorate


def save_page(
    version: DocumentVersion,
    budget: Budget,
    name: str,
    render: Callable[[], str | bytes],
    mimetype: str = "text/html",
) -> Response:
    """The page `name` of a version, which `render` makes if no reader has had it before.

    It is rendered once, also when several readers wait for it, and kept in the encodings that clients accept
    (pictures as they are).
    What the budget cut short is `no-store`, and rendered again after CUT_PAGE_SECONDS.
    """
    name = page_scope(version.share) + name
    encoding = accepted_encoding(request) if mimetype.startswith("text/") else "identity"
    page = _load(version, name, encoding)
    count("cache_misses" if page is None else "cache_hits")
    if page is None:
        with services().cache.lock(version.share, wait=True, name=f"pages.{crc32(name.encode()) % LOCKS}"):
            page = _load(version, name, encoding) or _recode(version, name, encoding)
            if page is None:
                count("renders")
                made = _render(render, budget)
                body = made.encode() if isinstance(made, str) else made
                page = _save(version, name, encoding, body, is_cut=budget.is_cut)
    if page.is_cut:
        response = encoded_response(page.body, encoding, mimetype)
        response.headers["Cache-Control"] = "no-store"
        return response
    if version.share.is_public:
        share = version.share
        made_from = response_cache.Version(share.cache_key, version.etag, share.page_fields)
        response_cache.mark_cacheable(request.environ, made_from, page.body)
    return encoded_response(page.body, encoding, mimetype)


def etag_of(version: DocumentVersion) -> str:
    """The ETag of every page of a version, as a header has it."""
    return f'W/"{_tag(version, "page")}"'


def page_version() -> str:
    """The version of the page format: the build, and the settings that occur in the HTML."""
    config = services().config
    return _page_version(config.BASE_URL, config.PREVIEW_TITLES, config.has_sign_in)


def file_name(id: str) -> str:
    """An id as part of a file name: whatever a client sent, it becomes 16 hexadecimal digits."""
    return hashlib.sha256(id.encode()).hexdigest()[:16]


def page_scope(share: LiveShare) -> str:
    """What sets the pages of one version apart: private or not, the title, and whether the plugin is gone."""
    title = f"{file_name(share.custom_title)}-" if share.custom_title else ""
    plugin = "without-plugin-" if share.lacks_plugin else ""
    return ("" if share.is_public else "private-") + plugin + title


@cache
def _page_version(*settings: object) -> str:
    return f"{build_id()}{crc32(repr(settings).encode()):08x}"


def _current(share_id: str) -> tuple[LiveShare, DocumentVersion | None]:
    """A live share and its current version; for a while also without the database, the cached one."""
    try:
        share = _readable(share_id)
    except (DBAPIError, TimeoutError):
        recent = services().recent.get(share_id)
        if recent and (version := services().documents.cached(recent)):
            require_reader(recent)
            return recent, version
        raise
    return share, services().documents.current(share)


def _readable(share_id: str) -> LiveShare:
    """A live share that the client may read."""
    share = services().live_shares.get(share_id)
    require_reader(share)
    return share


def _respond(version: DocumentVersion, variant: str, render: Callable[[], Response]) -> Response:
    tag = _tag(version, variant)
    response = Response(status=304) if request.if_none_match.contains_weak(tag) else render()
    _add_headers(response, version.share, tag)
    if version.is_unconfirmed:
        response.headers["Cache-Status"] = OUTAGE_STATUS
    if version.is_stale:
        response.call_on_close(copy_current_request_context(lambda: _refresh(version.share)))
    return response


def _render(render: Callable[[], str | bytes], budget: Budget) -> str | bytes:
    """The page; if whatever makes it takes too long in spite of its budget, a page that says so."""
    try:
        with cpu_time_limit(MAX_PAGE_SECONDS):
            return render()
    except TimeLimitExceeded:
        logger.warning("a page took too long: %s", request.url_rule)
        budget.is_cut = True
        return render_template(
            "status.html",
            heading="Too much for a page",
            sentence="This part of the session takes too long to show. Its JSON has everything.",
        )


class _SavedPage(NamedTuple):
    body: bytes
    is_cut: bool


def _load(version: DocumentVersion, name: str, encoding: str) -> _SavedPage | None:
    pages = services().cache.pages
    body = pages.read(version.share, version.etag, _page_file(name, encoding))
    if body is not None:
        return _SavedPage(body, is_cut=False)
    body = pages.read(version.share, version.etag, _cut_page_file(name, encoding), CUT_PAGE_SECONDS)
    return None if body is None else _SavedPage(body, is_cut=True)


def _recode(version: DocumentVersion, name: str, encoding: str) -> _SavedPage | None:
    """A page that was saved in another encoding only."""
    for other, decode in DECODERS.items():
        if page := _load(version, name, other):
            return _save(version, name, encoding, decode(page.body), is_cut=page.is_cut)
    return None


def _save(version: DocumentVersion, name: str, encoding: str, page: bytes, *, is_cut: bool) -> _SavedPage:
    body = ENCODERS[encoding](page)
    file = _cut_page_file(name, encoding) if is_cut else _page_file(name, encoding)
    services().cache.pages.write(version.share, version.etag, file, [body])
    return _SavedPage(body, is_cut)


def _page_file(name: str, encoding: str) -> str:
    return f"{name}.{page_version()}.{encoding}"


def _cut_page_file(name: str, encoding: str) -> str:
    return f"{_page_file(name, encoding)}.cut"


def _tag(version: DocumentVersion, variant: str) -> str:
    return f"{version.etag}.{page_version()}.{page_scope(version.share)}{variant}"


def _add_headers(response: Response, share: LiveShare, tag: str) -> None:
    if not response.cache_control.no_store:
        response.set_etag(tag, weak=True)
        response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, Accept-Encoding" + (
        "" if share.is_public else ", Authorization, Cookie"
    )


def _waiting(share: LiveShare) -> Response:
    """A page that reloads itself, while an upload link is valid. Raises NotUploaded afterwards.

    Raises ShareNotFound if the share was deleted while its document was looked for.
    """
    services().live_shares.get(share.share_id)
    if share.uploads_end_at < datetime.now(UTC):
        raise NotUploaded
    html = render_template(
        "status.html",
        heading="On its way",
        sentence="This session is being uploaded. The page reloads by itself.",
        refresh_seconds=REFRESH_SECONDS,
    )
    return make_response(html, 202, {"Cache-Control": "no-store"})


def _refresh(share: LiveShare) -> None:
    """Fetches a newer version, once the reader has the response."""
    try:
        services().documents.refresh(share)
    except (StorageError, UnreadableDocument, ShareError, DBAPIError, TimeoutError) as error:
        logger.warning("a newer version could not be read: %s", error)
