"""The files that a session changed: their list, and the diffs of each."""

from __future__ import annotations

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from app.documents import Edition
from app.render import Budget, Renderer
from app.render.patches import read_patch
from app.session.changes import changes
from app.share.blueprint import bp
from app.share.links import ShareLinks
from app.share.reading import page


@bp.get("/share/<share_id>/changes")
def changed_files(share_id: str) -> ResponseReturnValue:
    """Every file the session touched, with how much of it changed."""

    def make(edition: Edition) -> tuple[str, bool]:
        conversation = edition.conversation
        html = render_template(
            "changes.html", share_id=share_id, conversation=conversation, files=changes(conversation)
        )
        return html, True

    return page(share_id, "changes", make)


@bp.get("/share/<share_id>/changes/<int:number>")
def changed_file(share_id: str, number: int) -> ResponseReturnValue:
    """The diffs of one file, in the order in which they were made."""

    def make(edition: Edition) -> tuple[str, bool]:
        conversation = edition.conversation
        files = changes(conversation)
        if not 1 <= number <= len(files):
            abort(404)
        file = files[number - 1]
        renderer = Renderer(ShareLinks(share_id), conversation, Budget())
        html = render_template(
            "change.html",
            share_id=share_id,
            conversation=conversation,
            number=number,
            count=len(files),
            file=file,
            diffs=[(patch.message_id, diff) for patch in file.patches for diff in read_patch(patch.text)],
            page=renderer,
        )
        return html, not renderer.budget.timed_out

    return page(share_id, f"change-{number}", make)
