"""The pages of a session: its own, those of its sub-agents, and the page of one message or block."""

from __future__ import annotations

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from app.http.compression import prefers_markdown
from app.opencode.paging.find import find_block
from app.render import Budget, Renderer
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.blueprint import bp
from app.share.pages.contents import all_contents_of
from app.share.pages.links import ShareLinks
from app.share.pages.responses import cached_page, document_view, file_name, save_page
from app.share.pages.session_page import SessionPage, page_name
from app.share.views.exports import as_markdown

# What one block may spend on a page of its own.
BLOCK_BYTES = 128 * 1024


@bp.get("/share/<share_id>")
def show(share_id: str) -> ResponseReturnValue:
    """A page of the session; all of it as Markdown for clients that prefer that."""
    if prefers_markdown(request.headers.get("Accept", "")):
        return as_markdown(share_id)
    return show_page(share_id)


@document_view()
def show_page(version: DocumentVersion) -> Response:
    number = _page_number()
    return cached_page(version, page_name(number)) or _session_page(version, number).response()


@bp.get("/share/<share_id>/steps/<int:number>")
@document_view()
def steps(version: DocumentVersion, number: int) -> Response:
    """The steps of such a page, for a reader who scrolls towards it on another."""
    name = f"steps-{number}"
    return cached_page(version, name) or _session_page(version, number).fragment(name)


@bp.get("/share/<share_id>/s/<session_id>")
@document_view()
def child(version: DocumentVersion, session_id: str) -> Response:
    """A page of a sub-agent's session."""
    number = _page_number()
    cached = cached_page(version, page_name(number, session_id))
    return cached or _child_page(version, session_id, number).response()


@bp.get("/share/<share_id>/s/<session_id>/steps/<int:number>")
@document_view()
def child_steps(version: DocumentVersion, session_id: str, number: int) -> Response:
    """As `steps`, of a sub-agent's session."""
    name = f"child-steps-{file_name(session_id)}-{number}"
    return cached_page(version, name) or _child_page(version, session_id, number).fragment(name)


@bp.get("/share/<share_id>/m/<step_id>")
@document_view()
def message(version: DocumentVersion, step_id: str) -> Response:
    """The page that holds a message; the fragment of the URL leads on to the part.

    `step_id` is the id of a message, or of a later piece of one that is too long for a single step.
    """
    page = _page_with(version, step_id)
    # Under the name of the page: a session has many messages, and fewer pages.
    return cached_page(version, page.name) or page.response()


@bp.get("/share/<share_id>/block/<block_id>")
@document_view()
def block(version: DocumentVersion, block_id: str) -> Response:
    """One block on a page of its own, which may spend more on highlighting than among others."""
    name = f"block-{file_name(block_id)}"
    return cached_page(version, name) or _render_block(version, name, block_id)


@bp.get("/share/<share_id>/prompts")
@document_view()
def prompts(version: DocumentVersion) -> Response:
    """Every prompt of the session, each with a link to where it is."""
    return cached_page(version, "prompts") or _render_prompts(version)


def _page_number() -> int:
    return request.args.get("page", 1, type=int)


def _session_page(version: DocumentVersion, number: int) -> SessionPage:
    index = services().documents.index(version)
    return SessionPage(version, index, index.session, index.session.pages.get(number) or abort(404))


def _child_page(version: DocumentVersion, session_id: str, number: int) -> SessionPage:
    index = services().documents.index(version)
    session = index.children.get(session_id) or abort(404)
    return SessionPage(version, index, session, session.pages.get(number) or abort(404))


def _page_with(version: DocumentVersion, step_id: str) -> SessionPage:
    index = services().documents.index(version)
    pages = ((session, session.pages.holding(step_id)) for session in index.sessions)
    session, page = next(((session, page) for session, page in pages if page), None) or abort(404)
    return SessionPage(version, index, session, page)


def _render_block(version: DocumentVersion, name: str, block_id: str) -> Response:
    index = services().documents.index(version)
    block, step = find_block(index, block_id) or abort(404)
    share_id = version.share.share_id
    budget = Budget(max_block_bytes=BLOCK_BYTES)
    html = render_template(
        "subpages/block.html",
        share_id=share_id,
        conversation=index.conversation,
        block=block,
        step=step,
        renderer=Renderer(ShareLinks(share_id), index.conversation, budget, is_alone=True),
    )
    return save_page(version, name, html, is_complete=not budget.timed_out)


def _render_prompts(version: DocumentVersion) -> Response:
    session = services().documents.index(version).session
    share_id = version.share.share_id
    html = render_template(
        "subpages/prompts.html",
        share_id=share_id,
        conversation=session.conversation,
        contents=all_contents_of(session, ShareLinks(share_id)),
    )
    return save_page(version, "prompts", html)
