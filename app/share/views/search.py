"""Search in a session and those of its sub-agents; nothing of it is kept."""

from __future__ import annotations

import re

from flask import Response, abort, make_response, render_template, request

from app.lib.budget import Budget
from app.render.search.query import MAX_QUERY_CHARACTERS, parse_query
from app.render.search.search import NoSuchPosition, Position, Results, search
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.services.rate_limits import add_headers, limit_by, rate_limit_address
from app.share.blueprint import bp
from app.share.pages.links import ShareLinks
from app.share.pages.refusal import refuse
from app.share.pages.responses import document_view

# As `str(Position)` writes it.
_POSITION = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){3}")


@bp.get("/share/<share_id>/search")
@limit_by(lambda: "RATELIMIT_SEARCH", scope="search", key_func=rate_limit_address)
@document_view()
def search_session(version: DocumentVersion, budget: Budget) -> Response:
    """The places that match the query `q`, from the position `from` on; without a query, a form for one."""
    with services().heavy_requests.take(rate_limit_address()) as may_search:
        response = _respond(version, budget) if may_search else refuse("Another search is running")
    # What somebody looks for is theirs, and costs too little to be kept.
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.after_request
def add_rate_limit(response: Response) -> Response:
    """What is left of the limit, where one applies."""
    return add_headers(response)


def _respond(version: DocumentVersion, budget: Budget) -> Response:
    text = request.args.get("q", "")[:MAX_QUERY_CHARACTERS]
    query = parse_query(text)
    index = services().documents.index(version)
    try:
        results = search(index, query, _start(), budget) if query else Results([], None)
    except NoSuchPosition:
        abort(404)
    share_id = version.share.share_id
    html = render_template(
        "subpages/search.html",
        share_id=share_id,
        conversation=index.conversation,
        text=text,
        max_length=MAX_QUERY_CHARACTERS,
        is_query=bool(query),
        results=results,
        main_session=index.session,
        links=ShareLinks(share_id),
    )
    return make_response(html)


def _start() -> Position:
    """The position from which a request asks to search."""
    text = request.args.get("from")
    if text is None:
        return Position(0, 0)
    if not _POSITION.fullmatch(text) or not text.strip("0."):
        abort(404)
    return Position(*map(int, text.split(".")))
