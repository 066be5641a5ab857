"""The pages of a session: its own, those of its sub-agents, and the page of one message or block."""

from __future__ import annotations

from functools import partial

from flask import Response, abort, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.http.compression import prefers_markdown
from app.lib.budget import Budget
from app.opencode.paging.find import find_block
from app.render import Renderer
from app.services.access.import_tickets import issue_ticket
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.blueprint import bp
from app.share.pages.contents import prompts_on_page
from app.share.pages.levels import DEFAULT_LEVEL, requested_level
from app.share.pages.links import ShareLinks
from app.share.pages.list_pages import page_number
from app.share.pages.responses import document_view, file_name, save_page
from app.share.pages.session_page import SessionPage, page_name
from app.share.views.exports import as_markdown

# What one block may spend on a page of its own.
BLOCK_BYTES = 128 * 1024


@bp.get("/share/<share_id>")
def show(share_id: str) -> ResponseReturnValue:
    """A page of the session; all of it as Markdown for clients that prefer that."""
    if prefers_markdown(request.headers.get("Accept", "")):
        return as_markdown(share_id)
    return _counted(show_page(share_id), share_id)


@document_view()
def show_page(version: DocumentVersion, budget: Budget) -> Response:
    number, level = page_number(), requested_level()
    response = save_page(
        version,
        budget,
        page_name(number, level=level),
        lambda: _session_page(version, budget, number, level).html(),
    )
    return _with_alternates(response, version)


@bp.get("/share/<share_id>/steps/<int:number>")
@document_view()
def steps(version: DocumentVersion, budget: Budget, number: int) -> Response:
    """The steps of such a page, for a reader who scrolls towards it on another."""
    return save_page(
        version, budget, f"steps-{number}", lambda: _session_page(version, budget, number).fragment()
    )


@bp.get("/share/<share_id>/s/<session_id>")
@document_view()
def child(version: DocumentVersion, budget: Budget, session_id: str) -> Response:
    """A page of a sub-agent's session."""
    number, level = page_number(), requested_level()
    name = page_name(number, session_id, level)
    return save_page(
        version, budget, name, lambda: _child_page(version, budget, session_id, number, level).html()
    )


@bp.get("/share/<share_id>/s/<session_id>/steps/<int:number>")
@document_view()
def child_steps(version: DocumentVersion, budget: Budget, session_id: str, number: int) -> Response:
    """As `steps`, of a sub-agent's session."""
    name = f"child-steps-{file_name(session_id)}-{number}"
    return save_page(
        version, budget, name, lambda: _child_page(version, budget, session_id, number).fragment()
    )


@bp.get("/share/<share_id>/m/<step_id>")
def message(share_id: str, step_id: str) -> ResponseReturnValue:
    """As `message_page`, for a reader who comes by a link to it."""
    return _counted(message_page(share_id, step_id), share_id)


@document_view()
def message_page(version: DocumentVersion, budget: Budget, step_id: str) -> Response:
    """The page that holds a message; the fragment of the URL leads on to the part.

    `step_id` is the id of a message, or of a later piece of one that is too long for a single step.
    """
    page = _page_with(version, budget, step_id, requested_level())
    # Under the name of the page: a session has many messages, and fewer pages.
    response = save_page(version, budget, page.name, page.html)
    return response if page.is_child else _with_alternates(response, version)


@bp.get("/share/<share_id>/block/<block_id>")
@document_view(budget=partial(Budget, max_block_bytes=BLOCK_BYTES))
def block(version: DocumentVersion, budget: Budget, block_id: str) -> Response:
    """One block on a page of its own, which may spend more on highlighting than among others."""
    name = f"block-{file_name(block_id)}"
    return save_page(version, budget, name, lambda: _render_block(version, budget, block_id))


@bp.get("/share/<share_id>/prompts")
@document_view()
def prompts(version: DocumentVersion, budget: Budget) -> Response:
    """The prompts of the session, some hundred to a page, each with a link to where it is."""
    number = page_number()
    return save_page(version, budget, f"prompts-{number}", lambda: _render_prompts(version, number))


@bp.get("/share/<share_id>/import")
@document_view()
def import_command(version: DocumentVersion, budget: Budget) -> Response:
    """The command that continues the session in OpenCode, with a ticket if it is private."""
    share = version.share
    id = share.share_id if share.is_public else issue_ticket(share)
    html = render_template(
        "subpages/import.html",
        share_id=share.share_id,
        conversation=services().documents.index(version).conversation,
        url=f"{services().config.BASE_URL}/share/{id}",
    )
    return make_response(html, {"Cache-Control": "no-store"})


def _counted(response: Response, share_id: str) -> Response:
    """Notes that somebody has the page now, whether it was sent or they had it before."""
    if response.status_code in (200, 304):
        services().views.add(request.environ, share_id)
    return response


def _with_alternates(response: Response, version: DocumentVersion) -> Response:
    """Names the session's Markdown and JSON in headers (RFC 8288) too, for clients that parse no HTML."""
    for view, mimetype in (("as_markdown", "text/markdown"), ("as_json", "application/json")):
        url = url_for(f"share.{view}", share_id=version.share.share_id)
        response.headers.add("Link", f'<{url}>; rel="alternate"; type="{mimetype}"')
    return response


def _session_page(
    version: DocumentVersion, budget: Budget, number: int, level: str = DEFAULT_LEVEL
) -> SessionPage:
    index = services().documents.index(version)
    page = index.session.pages.get(number) or abort(404)
    return SessionPage(version, budget, index, index.session, page, level)


def _child_page(
    version: DocumentVersion, budget: Budget, session_id: str, number: int, level: str = DEFAULT_LEVEL
) -> SessionPage:
    index = services().documents.index(version)
    session = index.children.get(session_id) or abort(404)
    return SessionPage(version, budget, index, session, session.pages.get(number) or abort(404), level)


def _page_with(version: DocumentVersion, budget: Budget, step_id: str, level: str) -> SessionPage:
    index = services().documents.index(version)
    pages = ((session, session.pages.holding(step_id)) for session in index.sessions)
    session, page = next(((session, page) for session, page in pages if page), None) or abort(404)
    return SessionPage(version, budget, index, session, page, level)


def _render_block(version: DocumentVersion, budget: Budget, block_id: str) -> str:
    ids = services().documents.ids(version)
    block, step = find_block(ids, block_id) or abort(404)
    conversation = ids.index.conversation
    share_id = version.share.share_id
    return render_template(
        "subpages/block.html",
        share_id=share_id,
        conversation=conversation,
        block=block,
        step=step,
        renderer=Renderer(ShareLinks(share_id), conversation, budget, is_alone=True),
    )


def _render_prompts(version: DocumentVersion, number: int) -> str:
    session = services().documents.index(version).session
    share_id = version.share.share_id
    prompts = prompts_on_page(session, ShareLinks(share_id), number)
    if prompts is None:
        abort(404)
    return render_template(
        "subpages/prompts.html",
        share_id=share_id,
        conversation=session.conversation,
        prompts=prompts,
        number=number,
        count=len(session.prompt_pages),
    )
