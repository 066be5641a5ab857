"""The files that a session changed: all of their diffs, and the story of each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from app.lib.budget import Budget
from app.lib.build_id import build_id
from app.lib.chunks import chunks
from app.opencode.changes.git_patch import git_patch
from app.opencode.changes.record import FileRecord
from app.opencode.paths import is_generated
from app.render import Renderer
from app.render.diff.html import HEAD_ROWS
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.blueprint import bp
from app.share.pages.diff_modes import DEFAULT_DIFF_MODE, DIFF_MODES, diff_arguments, requested_diff_mode
from app.share.pages.file_tree import file_tree
from app.share.pages.links import ShareLinks
from app.share.pages.list_pages import page_number
from app.share.pages.responses import document_view, save_page
from app.share.pages.review import ReviewedPatch, in_reading_order, page_starts, review, story_of

# How many files one page of the list has.
PAGE_FILES = 500


@bp.get("/share/<share_id>/changes")
@document_view()
def changed_files(version: DocumentVersion, budget: Budget) -> Response:
    """The files that the session changed, with their diffs as far as they fit on the page."""
    number, mode = page_number(), requested_diff_mode()
    name = f"changes-{number}-{mode}"
    return save_page(version, budget, name, lambda: _render_files(version, budget, number, mode))


@bp.get("/share/<share_id>/changes.patch")
@document_view(variant="patch")
def as_patch(version: DocumentVersion, budget: Budget) -> Response:
    """All changes as one patch for `git apply`."""
    patch = services().documents.export(
        version, f"patch.{build_id()}", lambda: git_patch(services().documents.changes(version))
    )
    response = Response(chunks(patch), mimetype="text/x-diff")
    response.headers["Content-Disposition"] = f'attachment; filename="{version.share.share_id}.patch"'
    return response


@bp.get("/share/<share_id>/changes/<int:number>")
@document_view()
def changed_file(version: DocumentVersion, budget: Budget, number: int) -> Response:
    """The story of one file: its edits in order, from the one with the number `from`."""
    file, count = _file(version, number)
    first, mode = request.args.get("from", 1, type=int), requested_diff_mode()
    links = ShareLinks(version.share.share_id)
    story = story_of(file.read_patches(), links, _file_url(version, number))
    starts = page_starts([event.said + event.text for event in story])
    if not 1 <= first < starts[-1]:
        abort(404)
    start, end = next((start, end) for start, end in pairwise(starts) if start <= first < end)
    if start != first:
        # One page, one address.
        return make_response(redirect(_file_url(version, number, start, mode)))

    def render() -> str:
        conversation = services().documents.index(version).conversation
        following = len(story) - end + 1
        return render_template(
            "subpages/change.html",
            share_id=version.share.share_id,
            conversation=conversation,
            number=number,
            count=count,
            file=file,
            events=story[start - 1 : end - 1],
            following=following,
            following_url=_file_url(version, number, end, mode) if following else None,
            renderer=Renderer(links, conversation, budget, is_alone=True),
            first=start,
            mode=mode,
            diff_arguments=diff_arguments(mode),
            modes=_modes(lambda mode: _file_url(version, number, start, mode)),
        )

    return save_page(version, budget, f"change-{number}-{start}-{mode}", render)


@bp.get("/share/<share_id>/changes/<int:number>/<int:place>")
@document_view()
def patch(version: DocumentVersion, budget: Budget, number: int, place: int) -> Response:
    """One diff of a file, whole, as plain text; `place` counts them from 1."""
    file, _ = _file(version, number)
    if not 1 <= place <= file.count:
        abort(404)
    return Response(file.read_patches()[place - 1].text, mimetype="text/plain")


def _render_files(version: DocumentVersion, budget: Budget, number: int, mode: str) -> str:
    session = services().documents.index(version).session
    files = services().documents.changes(version)
    count = max(1, -(-len(files) // PAGE_FILES))
    if not 1 <= number <= count:
        abort(404)
    first = (number - 1) * PAGE_FILES + 1
    share_id = version.share.share_id
    renderer = Renderer(ShareLinks(share_id), session.conversation, budget, is_alone=True)
    numbered = list(enumerate(files[first - 1 : first - 1 + PAGE_FILES], start=first))
    reviews: dict[int, list[ReviewedPatch]] = {}
    for place, file in in_reading_order(numbered):
        if not budget.has_rows(HEAD_ROWS):
            break
        reviews[place] = review(file, renderer, _file_url(version, place))
    return render_template(
        "subpages/changes.html",
        share_id=share_id,
        conversation=session.conversation,
        changed=session.changed,
        files=numbered,
        tree=file_tree(numbered),
        reviews=reviews,
        is_generated=is_generated,
        renderer=renderer,
        number=number,
        count=count,
        mode=mode,
        diff_arguments=diff_arguments(mode),
        modes=_modes(lambda mode: _files_url(version, number, mode)),
        page_url=lambda number: _files_url(version, number, mode),
    )


def _modes(url: Callable[[str], str]) -> list[tuple[str, str, str]]:
    """The name, label and address of each way to show diffs."""
    return [(name, label, url(name)) for name, label in DIFF_MODES.items()]


def _files_url(version: DocumentVersion, number: int, mode: str) -> str:
    arguments: dict[str, Any] = {"page": number} if number > 1 else {}
    arguments |= diff_arguments(mode)
    return url_for("share.changed_files", share_id=version.share.share_id, **arguments)


def _file_url(version: DocumentVersion, number: int, first: int = 1, mode: str = DEFAULT_DIFF_MODE) -> str:
    arguments: dict[str, Any] = {"from": first} if first > 1 else {}
    arguments |= diff_arguments(mode)
    return url_for("share.changed_file", share_id=version.share.share_id, number=number, **arguments)


def _file(version: DocumentVersion, number: int) -> tuple[FileRecord, int]:
    """A changed file by its number, and how many there are."""
    files = services().documents.changes(version)
    if not 1 <= number <= len(files):
        abort(404)
    return files[number - 1], len(files)
