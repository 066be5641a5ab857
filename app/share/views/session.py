"""The pages of a session: its own, those of its sub-agents, and the place of one message."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from app.http.negotiation import prefers_markdown
from app.opencode import Chapter
from app.opencode.paging.find import find_block
from app.render import Budget, Renderer
from app.services.documents.service import Edition
from app.share.blueprint import bp
from app.share.pages.contents import all_contents_of
from app.share.pages.links import ShareLinks
from app.share.pages.responses import Made, file_name, page
from app.share.pages.session_page import SessionPage, page_name
from app.share.views.exports import as_markdown

# What one block may spend where it stands alone.
BLOCK_BYTES = 128 * 1024


@bp.get("/share/<share_id>")
def show(share_id: str) -> ResponseReturnValue:
    """A page of the session; the whole of it as Markdown for programs that ask for that."""
    if prefers_markdown(request.headers.get("Accept", "")):
        return as_markdown(share_id)
    number = request.args.get("page", 1, type=int)
    return page(share_id, page_name(number), lambda edition: _numbered(edition, _session, number).whole())


@bp.get("/share/<share_id>/steps/<int:number>")
def steps(share_id: str, number: int) -> ResponseReturnValue:
    """What such a page has of the session, for a reader who comes near it on another."""
    return page(share_id, f"steps-{number}", lambda edition: _numbered(edition, _session, number).fragment())


@bp.get("/share/<share_id>/s/<session_id>")
def child(share_id: str, session_id: str) -> ResponseReturnValue:
    """A page of a sub-agent's session."""
    number = request.args.get("page", 1, type=int)
    name = page_name(number, session_id)
    return page(share_id, name, lambda edition: _numbered(edition, _child(session_id), number).whole())


@bp.get("/share/<share_id>/s/<session_id>/steps/<int:number>")
def child_steps(share_id: str, session_id: str, number: int) -> ResponseReturnValue:
    """As `steps`, of a sub-agent's session."""
    name = f"child-steps-{file_name(session_id)}-{number}"
    return page(share_id, name, lambda edition: _numbered(edition, _child(session_id), number).fragment())


@bp.get("/share/<share_id>/m/<step_id>")
def message(share_id: str, step_id: str) -> ResponseReturnValue:
    """The page on which a message stands; the fragment of the address leads on to the part.

    `step_id` is the id of a message, or of a later piece of one that is too long for a single step.
    """

    @cache
    def place(edition: Edition) -> SessionPage:
        places = ((chapter, chapter.pages.holding(step_id)) for chapter in edition.index.chapters)
        chapter, found = next(((chapter, found) for chapter, found in places if found), None) or abort(404)
        return SessionPage(edition, chapter, found)

    # Under the name of the page: a session has many messages, and fewer pages.
    return page(share_id, lambda edition: place(edition).name, lambda edition: place(edition).whole())


@bp.get("/share/<share_id>/block/<block_id>")
def block(share_id: str, block_id: str) -> ResponseReturnValue:
    """One block alone, which may spend more on highlighting than among others."""

    def make(edition: Edition) -> Made:
        found = find_block(edition.index, block_id) or abort(404)
        conversation = edition.index.conversation
        budget = Budget(max_block_bytes=BLOCK_BYTES)
        html = render_template(
            "subpages/block.html",
            share_id=share_id,
            conversation=conversation,
            block=found[0],
            step=found[1],
            page=Renderer(ShareLinks(share_id), conversation, budget, is_alone=True),
        )
        return Made(html, may_be_kept=not budget.timed_out)

    return page(share_id, f"block-{file_name(block_id)}", make)


@bp.get("/share/<share_id>/prompts")
def prompts(share_id: str) -> ResponseReturnValue:
    """Every prompt of the session, each with a link to where it stands."""

    def make(edition: Edition) -> Made:
        chapter = edition.index.session
        contents = all_contents_of(chapter, ShareLinks(share_id))
        return Made(
            render_template(
                "subpages/prompts.html",
                share_id=share_id,
                conversation=chapter.conversation,
                contents=contents,
            )
        )

    return page(share_id, "prompts", make)


def _session(edition: Edition) -> Chapter:
    return edition.index.session


def _child(session_id: str) -> Callable[[Edition], Chapter]:
    return lambda edition: edition.index.children.get(session_id) or abort(404)


def _numbered(edition: Edition, chapter_of: Callable[[Edition], Chapter], number: int) -> SessionPage:
    chapter = chapter_of(edition)
    return SessionPage(edition, chapter, chapter.pages.get(number) or abort(404))
