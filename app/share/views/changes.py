"""The files that a session changed: their list, and the diffs of each."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, abort, render_template, request, url_for

from app.opencode import Conversation
from app.opencode.changes.changes import FileChange, changes
from app.render import Budget, Renderer
from app.render.diff.html import HEAD_ROWS, MAX_ROWS
from app.render.renderer import DiffExcerpts
from app.render.tools.files import MAX_CHARACTERS, read_diffs
from app.render.tools.view import DiffsSection
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.blueprint import bp
from app.share.pages.links import ShareLinks
from app.share.pages.responses import cached_page, document_view, save_page

# How much of a file's patches one page reads.
PAGE_CHARACTERS = 1024 * 1024


@bp.get("/share/<share_id>/changes")
@document_view()
def changed_files(version: DocumentVersion) -> Response:
    """Every file that the session changed, with the counts of its lines."""
    return cached_page(version, "changes") or _render_changes(version)


@bp.get("/share/<share_id>/changes/<int:number>")
@document_view()
def changed_file(version: DocumentVersion, number: int) -> Response:
    """The diffs of one file, in the order in which they were made, from the one with the number `from`."""
    first = request.args.get("from", 1, type=int)
    name = f"change-{number}-{first}"
    return cached_page(version, name) or _render_change(version, name, number, first)


@bp.get("/share/<share_id>/changes/<int:number>/<int:place>")
@document_view()
def patch(version: DocumentVersion, number: int, place: int) -> Response:
    """One diff of a file, whole, as plain text; `place` counts them from 1."""
    file, _ = _file(services().documents.index(version).conversation, number)
    if not 1 <= place <= len(file.patches):
        abort(404)
    return Response(file.patches[place - 1].text, mimetype="text/plain")


def _render_changes(version: DocumentVersion) -> Response:
    conversation = services().documents.index(version).conversation
    html = render_template(
        "subpages/changes.html",
        share_id=version.share.share_id,
        conversation=conversation,
        files=changes(conversation),
    )
    return save_page(version, "changes", html)


def _render_change(version: DocumentVersion, name: str, number: int, first: int) -> Response:
    share_id = version.share.share_id
    conversation = services().documents.index(version).conversation
    file, count = _file(conversation, number)
    if not 1 <= first <= max(1, len(file.patches)):
        abort(404)
    renderer = Renderer(ShareLinks(share_id), conversation, Budget())
    url = url_for("share.changed_file", share_id=share_id, number=number)
    html = render_template(
        "subpages/change.html",
        share_id=share_id,
        conversation=conversation,
        number=number,
        count=count,
        file=file,
        first=first,
        diffs=_diffs_from(file, first, renderer, url),
        renderer=renderer,
    )
    return save_page(version, name, html, is_complete=not renderer.budget.timed_out)


def _file(conversation: Conversation, number: int) -> tuple[FileChange, int]:
    """A changed file by its number, and how many there are."""
    files = changes(conversation)
    if not 1 <= number <= len(files):
        abort(404)
    return files[number - 1], len(files)


def _diffs_from(
    file: FileChange, first: int, renderer: Renderer, url: str
) -> Sequence[tuple[str, DiffExcerpts]]:
    """As many diffs as a page has room for, at least one, each with the id of its message."""
    diffs: list[tuple[str, DiffExcerpts]] = []
    characters_left = PAGE_CHARACTERS
    for place, change in enumerate(file.patches[first - 1 :], start=first):
        characters_left -= min(len(change.text), MAX_CHARACTERS)
        if diffs and (characters_left < 0 or not renderer.budget.has_rows(HEAD_ROWS + MAX_ROWS)):
            break
        # What cannot be read as a diff is all behind the link.
        section = read_diffs(change.text) or DiffsSection([], is_cut=True)
        diffs.append((change.message_id, renderer.diffs(section, f"{url}/{place}")))
    return diffs
