"""The files that a session changed: their list, and the diffs of each."""

from __future__ import annotations

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.opencode import Conversation
from app.opencode.changes.changes import FileChange, changes
from app.render import Budget, Renderer
from app.render.diff.html import HEAD_ROWS, MAX_ROWS
from app.render.renderer import ShownDiffs
from app.render.tools.files import MAX_CHARACTERS, read_diffs
from app.render.tools.view import Diffs
from app.services.documents.service import Edition
from app.share.blueprint import bp
from app.share.pages.links import ShareLinks
from app.share.pages.responses import Made, answer, page

# How much of a file's patches one page reads.
PAGE_CHARACTERS = 1024 * 1024


@bp.get("/share/<share_id>/changes")
def changed_files(share_id: str) -> ResponseReturnValue:
    """Every file the session touched, with how much of it changed."""

    def make(edition: Edition) -> Made:
        conversation = edition.index.conversation
        html = render_template(
            "subpages/changes.html", share_id=share_id, conversation=conversation, files=changes(conversation)
        )
        return Made(html)

    return page(share_id, "changes", make)


@bp.get("/share/<share_id>/changes/<int:number>")
def changed_file(share_id: str, number: int) -> ResponseReturnValue:
    """The diffs of one file, in the order in which they were made, from the one with the number `from`."""
    first = request.args.get("from", 1, type=int)

    def make(edition: Edition) -> Made:
        conversation = edition.index.conversation
        file, count = _file(conversation, number)
        if not 1 <= first <= max(1, len(file.patches)):
            abort(404)
        renderer = Renderer(ShareLinks(share_id), conversation, Budget())
        html = render_template(
            "subpages/change.html",
            share_id=share_id,
            conversation=conversation,
            number=number,
            count=count,
            file=file,
            first=first,
            shown=_shown(
                file, first, renderer, url_for("share.changed_file", share_id=share_id, number=number)
            ),
            page=renderer,
        )
        return Made(html, may_be_kept=not renderer.budget.timed_out)

    return page(share_id, f"change-{number}-{first}", make)


@bp.get("/share/<share_id>/changes/<int:number>/<int:place>")
def patch(share_id: str, number: int, place: int) -> ResponseReturnValue:
    """One diff of a file, whole, as plain text; `place` counts them from 1."""

    def make(edition: Edition) -> Response:
        file, _ = _file(edition.index.conversation, number)
        if not 1 <= place <= len(file.patches):
            abort(404)
        return Response(file.patches[place - 1].text, mimetype="text/plain")

    return answer(share_id, make)


def _file(conversation: Conversation, number: int) -> tuple[FileChange, int]:
    """A changed file by its number, and how many there are."""
    files = changes(conversation)
    if not 1 <= number <= len(files):
        abort(404)
    return files[number - 1], len(files)


def _shown(file: FileChange, first: int, renderer: Renderer, url: str) -> list[tuple[str, ShownDiffs]]:
    """As many diffs as a page has room for, at least one, each with the message that asked for it."""
    shown: list[tuple[str, ShownDiffs]] = []
    characters_left = PAGE_CHARACTERS
    for place, change in enumerate(file.patches[first - 1 :], start=first):
        characters_left -= min(len(change.text), MAX_CHARACTERS)
        if shown and (characters_left < 0 or not renderer.budget.has_rows(HEAD_ROWS + MAX_ROWS)):
            break
        # What cannot be read as a diff is all behind the link.
        diffs = read_diffs(change.text) or Diffs([], is_cut=True)
        shown.append((change.message_id, renderer.diffs(diffs, f"{url}/{place}")))
    return shown
