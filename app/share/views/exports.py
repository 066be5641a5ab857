"""The session to take along: as JSON, as Markdown, as one HTML file, and as a picture for link previews."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from urllib.parse import urlencode

from flask import Response, abort, request

from app.http.compression import accepted_encoding, decoded_chunks, encoded_chunks, encoded_response
from app.lib.budget import Budget
from app.lib.chunks import chunks
from app.opencode.paging.pages import Page
from app.render.transcript.markdown import transcript
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.services.rate_limits import rate_limit_address
from app.share.blueprint import bp
from app.share.card.image import card
from app.share.pages.html_file import FileBody, file_head
from app.share.pages.levels import level_arguments, requested_level
from app.share.pages.list_pages import page_number
from app.share.pages.preview import preview_of
from app.share.pages.refusal import refuse
from app.share.pages.responses import document_view, page_scope, page_version, save_page
from app.share.views.themes import AUTO, theme_css


@bp.get("/share/<share_id>.json")
@document_view(variant="json")
def as_json(version: DocumentVersion, budget: Budget) -> Response:
    """The document itself."""
    return Response(chunks(services().documents.json(version)), mimetype="application/json")


@bp.get("/share/<share_id>.md")
@document_view(variant="markdown")
def as_markdown(version: DocumentVersion, budget: Budget) -> Response:
    """The session as Markdown, to paste into an issue or another model; one page of it with `page`."""
    level = requested_level("everything")
    if "page" in request.args:
        return _markdown_page(version, budget, level, page_number())
    name = f"markdown-{page_scope(version.share)}{level}.{page_version()}"
    markdown = services().documents.export(
        version, name, lambda: (text.encode() for text in _markdown(version, budget, level))
    )
    return Response(chunks(markdown), mimetype="text/markdown")


@bp.get("/share/<share_id>.html")
@document_view(variant="html")
def as_html(version: DocumentVersion, budget: Budget) -> Response:
    """The session as one file that needs nothing else, in a theme and at a level of detail."""
    level, css = requested_level(), theme_css(request.args.get("theme", AUTO)) or abort(404)
    with services().heavy_requests.take(rate_limit_address()) as may_export:
        if not may_export:
            return refuse("Another file is being written")
        body = services().documents.export(
            version,
            f"html-{page_scope(version.share)}{level}.{page_version()}.zstd",
            lambda: encoded_chunks(FileBody(version, budget, level).chunks(), "zstd"),
        )
    title = services().documents.index(version).conversation.title or "Untitled session"
    head, policy = file_head(title, level, css)
    encoding = accepted_encoding(request)
    parts = encoded_chunks(chain([head.encode(errors="replace")], decoded_chunks(body)), encoding)
    response = encoded_response(parts, encoding, "text/html")
    response.headers["Content-Security-Policy"] = f"{policy}; sandbox"
    response.headers["Content-Disposition"] = f'attachment; filename="{version.share.share_id}.html"'
    return response


@bp.get("/share/<share_id>/card.png")
@document_view(variant="card")
def as_card(version: DocumentVersion, budget: Budget) -> Response:
    """The picture that chat programs show beside a link."""
    return save_page(version, budget, "card", lambda: _card(version), "image/png")


def _markdown_page(version: DocumentVersion, budget: Budget, level: str, number: int) -> Response:
    index = services().documents.index(version)
    page = index.session.pages.get(number) or abort(404)
    links = {
        relation: _markdown_url(version, level, other)
        for relation, other in (("prev", number - 1), ("next", number + 1))
        if 1 <= other <= page.count
    }

    def render() -> str:
        following = [f"Next page: <{links['next']}>\n"] if "next" in links else []
        return "".join([*_markdown(version, budget, level, page), *following])

    response = save_page(version, budget, f"markdown-{level}-{number}", render, "text/markdown")
    for relation, url in links.items():
        response.headers.add("Link", f'<{url}>; rel="{relation}"')
    return response


def _markdown(
    version: DocumentVersion, budget: Budget, level: str, page: Page | None = None
) -> Iterator[str]:
    url = f"{services().config.BASE_URL}/share/{version.share.share_id}"
    return transcript(services().documents.index(version).conversation, url, budget, level, page)


def _markdown_url(version: DocumentVersion, level: str, number: int) -> str:
    arguments = urlencode({"page": number, **level_arguments(level, "everything")})
    return f"{services().config.BASE_URL}/share/{version.share.share_id}.md?{arguments}"


def _card(version: DocumentVersion) -> bytes:
    preview = preview_of(services().documents.index(version).session)
    return card(preview.title, preview.facts)
