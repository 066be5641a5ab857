"""The pages of a session: its own, those of its sub-agents, and the place of one message."""

from __future__ import annotations

import hashlib

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.documents import Edition
from app.parts import parts
from app.render import Budget, Renderer
from app.render.themes import THEMES
from app.session import Conversation
from app.session.changes import changes, totals
from app.share.blueprint import bp
from app.share.contents import contents_of
from app.share.exports import as_markdown
from app.share.links import ShareLinks
from app.share.paging import Page, pages_of
from app.share.preview import preview_of
from app.share.reading import etag_of, page
from app.share.steps import KeptSteps


@bp.get("/share/<share_id>")
def show(share_id: str) -> ResponseReturnValue:
    """A page of the session; the whole of it as Markdown for programs that ask for that."""
    if request.accept_mimetypes.best_match(["text/html", "text/markdown"]) == "text/markdown":
        return as_markdown(share_id)
    number = _number()
    return page(share_id, f"page-{number}", lambda edition: _numbered(edition, edition.conversation, number))


@bp.get("/share/<share_id>/s/<session_id>")
def child(share_id: str, session_id: str) -> ResponseReturnValue:
    """A page of a sub-agent's session."""
    number = _number()

    def make(edition: Edition) -> tuple[str, bool]:
        conversation = edition.conversation.children.get(session_id) or abort(404)
        return _numbered(edition, conversation, number)

    return page(share_id, f"child-{_file_name(session_id)}-{number}", make)


@bp.get("/share/<share_id>/m/<step_id>")
def message(share_id: str, step_id: str) -> ResponseReturnValue:
    """The page on which a message stands; the fragment of the address leads on to the part.

    `step_id` is the id of a message, or of a later piece of one that is too long for a single step.
    """

    def make(edition: Edition) -> tuple[str, bool]:
        conversation, found = _place(edition.conversation, step_id) or abort(404)
        return _rendered(edition, conversation, found)

    return page(share_id, f"message-{_file_name(step_id)}", make)


@bp.get("/share/<share_id>/prompts")
def prompts(share_id: str) -> ResponseReturnValue:
    """Every prompt of the session, each with a link to where it stands."""

    def make(edition: Edition) -> tuple[str, bool]:
        conversation = edition.conversation
        contents = contents_of(conversation, ShareLinks(share_id), limit=None)
        html = render_template(
            "prompts.html", share_id=share_id, conversation=conversation, contents=contents
        )
        return html, True

    return page(share_id, "prompts", make)


def _number() -> int:
    return request.args.get("page", 1, type=int)


def _file_name(id: str) -> str:
    """An id as a name in the cache; whatever a reader typed, it stays one short file name."""
    return hashlib.sha256(id.encode()).hexdigest()[:16]


def _place(session: Conversation, step_id: str) -> tuple[Conversation, Page] | None:
    """The conversation and the page on which a step stands."""
    for conversation in session.walk():
        for found in pages_of(conversation):
            if found.has(step_id):
                return conversation, found
    return None


def _numbered(edition: Edition, conversation: Conversation, number: int) -> tuple[str, bool]:
    pages = pages_of(conversation)
    if not 1 <= number <= len(pages):
        abort(404)
    return _rendered(edition, conversation, pages[number - 1])


def _rendered(edition: Edition, conversation: Conversation, found: Page) -> tuple[str, bool]:
    share_id = edition.life.share_id
    links = ShareLinks(share_id)
    is_child = conversation.id in edition.conversation.children
    here = links.child(conversation.id) if is_child else url_for("share.show", share_id=share_id)
    name = f"{_file_name(conversation.id)}.{found.number}"
    changed = totals(changes(conversation))
    steps = KeptSteps(parts().cache, edition, name, Renderer(links, conversation, Budget()))
    html = render_template(
        "session.html",
        share_id=share_id,
        share_url=f"{parts().config.BASE_URL}/share/{share_id}",
        conversation=conversation,
        changed=changed,
        contents=contents_of(conversation, links, found),
        etag=etag_of(edition),
        is_child=is_child,
        page=found,
        page_url=lambda number: f"{here}?page={number}",
        preview=preview_of(conversation, changed),
        steps=steps,
        themes=THEMES.values(),
    )
    steps.save()
    return html, steps.is_complete
