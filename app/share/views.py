"""The pages of a session: its own, those of its sub-agents, and the place of one message."""

from __future__ import annotations

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.parts import parts
from app.render import Budget, Renderer
from app.session import Conversation
from app.session.changes import changes, totals
from app.share.blueprint import bp
from app.share.contents import contents_of
from app.share.exports import as_markdown
from app.share.links import ShareLinks
from app.share.paging import Page, pages_of
from app.share.preview import preview_of
from app.share.reading import Reading, answer


@bp.get("/share/<share_id>")
def show(share_id: str) -> ResponseReturnValue:
    """A page of the session; the whole of it as Markdown for programs that ask for that."""
    if request.accept_mimetypes.best_match(["text/html", "text/markdown"]) == "text/markdown":
        return as_markdown(share_id)
    return answer(share_id, lambda reading: _page(share_id, reading.conversation))


@bp.get("/share/<share_id>/s/<session_id>")
def child(share_id: str, session_id: str) -> ResponseReturnValue:
    """A page of a sub-agent's session."""
    return answer(share_id, lambda reading: _page(share_id, _child(reading, session_id), session_id))


@bp.get("/share/<share_id>/m/<step_id>")
def message(share_id: str, step_id: str) -> ResponseReturnValue:
    """The page on which a message stands; the fragment of the address leads on to the part.

    `step_id` is the id of a message, or of a later piece of one that is too long for a single step.
    """

    def make(reading: Reading) -> str:
        child_id, conversation, page = _place(reading.conversation, step_id) or abort(404)
        return _rendered(share_id, conversation, page, child_id)

    return answer(share_id, make)


@bp.get("/share/<share_id>/prompts")
def prompts(share_id: str) -> ResponseReturnValue:
    """Every prompt of the session, each with a link to where it stands."""

    def make(reading: Reading) -> str:
        conversation = reading.conversation
        return render_template(
            "prompts.html",
            share_id=share_id,
            conversation=conversation,
            contents=contents_of(conversation, ShareLinks(share_id), limit=None),
        )

    return answer(share_id, make)


def _place(session: Conversation, step_id: str) -> tuple[str | None, Conversation, Page] | None:
    """Where a step stands: the sub-agent's id if it is in one, the conversation and its page."""
    for child_id, conversation in ((None, session), *session.children.items()):
        for page in pages_of(conversation):
            if page.has(step_id):
                return child_id, conversation, page
    return None


def _page(share_id: str, conversation: Conversation, child_id: str | None = None) -> str:
    number = request.args.get("page", 1, type=int)
    pages = pages_of(conversation)
    if not 1 <= number <= len(pages):
        abort(404)
    return _rendered(share_id, conversation, pages[number - 1], child_id)


def _rendered(share_id: str, conversation: Conversation, page: Page, child_id: str | None) -> str:
    links = ShareLinks(share_id)
    here = links.child(child_id) if child_id else url_for("share.show", share_id=share_id)
    return render_template(
        "session.html",
        share_id=share_id,
        share_url=f"{parts().config.BASE_URL}/share/{share_id}",
        conversation=conversation,
        changed=totals(changes(conversation)),
        contents=contents_of(conversation, links, page),
        is_child=child_id is not None,
        page=page,
        page_url=lambda number: f"{here}?page={number}",
        preview=preview_of(conversation),
        renderer=Renderer(links, conversation, Budget()),
    )


def _child(reading: Reading, session_id: str) -> Conversation:
    return reading.conversation.children.get(session_id) or abort(404)
