"""The files that a session changed: their list, and the diffs of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from flask import Response, abort, make_response, redirect, render_template, request, url_for

from app.lib.budget import Budget
from app.lib.build_id import build_id
from app.lib.chunks import chunks
from app.opencode.changes.changes import Patch
from app.opencode.changes.git_patch import git_patch
from app.opencode.changes.record import FileRecord
from app.opencode.paths import is_generated
from app.render import Renderer
from app.render.diff.html import HEAD_ROWS, MAX_CHARACTERS, MAX_ROWS
from app.render.excerpts import DiffExcerpts
from app.render.tools.files import read_diffs
from app.render.tools.view import DiffsSection
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.blueprint import bp
from app.share.pages.links import ShareLinks
from app.share.pages.list_pages import page_number
from app.share.pages.responses import document_view, save_page

# How many files one page of the list has.
PAGE_FILES = 500
# How many rows of diffs, and characters of patches, one page of a file shows.
PAGE_ROWS = 2_000
PAGE_CHARACTERS = 1024 * 1024

# The id of the message that made a change, and its diffs.
_PatchDiffs = tuple[str, DiffExcerpts]


@bp.get("/share/<share_id>/changes")
@document_view()
def changed_files(version: DocumentVersion, budget: Budget) -> Response:
    """The files that the session changed, with their diffs as far as they fit on the page."""
    number = page_number()
    return save_page(version, budget, f"changes-{number}", lambda: _render_files(version, budget, number))


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
    """The diffs of one file, in the order in which they were made, from the one with the number `from`."""
    file, count = _file(version, number)
    patches = file.read_patches()
    first = request.args.get("from", 1, type=int)
    starts = _page_starts(patches)
    if not 1 <= first < starts[-1]:
        abort(404)
    start, end = next((start, end) for start, end in pairwise(starts) if start <= first < end)
    if start != first:
        # One page, one address.
        return make_response(redirect(request.base_url if start == 1 else f"?from={start}"))
    return save_page(
        version,
        budget,
        f"change-{number}-{start}",
        lambda: _render_file(version, budget, number, count, file, patches[start - 1 : end - 1], start),
    )


@bp.get("/share/<share_id>/changes/<int:number>/<int:place>")
@document_view()
def patch(version: DocumentVersion, budget: Budget, number: int, place: int) -> Response:
    """One diff of a file, whole, as plain text; `place` counts them from 1."""
    file, _ = _file(version, number)
    if not 1 <= place <= file.count:
        abort(404)
    return Response(file.read_patches()[place - 1].text, mimetype="text/plain")


def _render_files(version: DocumentVersion, budget: Budget, number: int) -> str:
    session = services().documents.index(version).session
    files = services().documents.changes(version)
    count = max(1, -(-len(files) // PAGE_FILES))
    if not 1 <= number <= count:
        abort(404)
    first = (number - 1) * PAGE_FILES + 1
    share_id = version.share.share_id
    renderer = Renderer(ShareLinks(share_id), session.conversation, budget, is_alone=True)
    numbered = list(enumerate(files[first - 1 : first - 1 + PAGE_FILES], start=first))
    return render_template(
        "subpages/changes.html",
        share_id=share_id,
        conversation=session.conversation,
        changed=session.changed,
        files=numbered,
        diffs=_fitting_diffs(numbered, renderer, share_id),
        renderer=renderer,
        number=number,
        count=count,
    )


def _fitting_diffs(
    files: Sequence[tuple[int, FileRecord]], renderer: Renderer, share_id: str
) -> dict[int, list[_PatchDiffs]]:
    """The diffs of the first files, by their numbers, until the page is full; not of generated ones."""
    found = {}
    for number, file in files:
        if not renderer.budget.has_rows(HEAD_ROWS):
            break
        if file.count and not is_generated(file.path):
            patches = file.read_patches()
            shown = patches[: _page_starts(patches)[1] - 1]
            found[number] = _all_diffs(
                shown, renderer, url_for("share.changed_file", share_id=share_id, number=number), 1
            )
    return found


def _render_file(
    version: DocumentVersion,
    budget: Budget,
    number: int,
    count: int,
    file: FileRecord,
    patches: Sequence[Patch],
    first: int,
) -> str:
    share_id = version.share.share_id
    conversation = services().documents.index(version).conversation
    renderer = Renderer(ShareLinks(share_id), conversation, budget)
    url = url_for("share.changed_file", share_id=share_id, number=number)
    return render_template(
        "subpages/change.html",
        share_id=share_id,
        conversation=conversation,
        number=number,
        count=count,
        file=file,
        first=first,
        diffs=_all_diffs(patches, renderer, url, first),
        renderer=renderer,
    )


def _file(version: DocumentVersion, number: int) -> tuple[FileRecord, int]:
    """A changed file by its number, and how many there are."""
    files = services().documents.changes(version)
    if not 1 <= number <= len(files):
        abort(404)
    return files[number - 1], len(files)


def _page_starts(patches: Sequence[Patch]) -> list[int]:
    """The number of the first patch on each page, and one more than that of the last patch."""
    starts = [1]
    rows = characters = 0
    for number, patch in enumerate(patches, start=1):
        # No more of a patch is shown than this.
        patch_rows = HEAD_ROWS + min(patch.text.count("\n") + 1, MAX_ROWS)
        patch_characters = min(len(patch.text), MAX_CHARACTERS)
        if number > starts[-1] and (
            rows + patch_rows > PAGE_ROWS or characters + patch_characters > PAGE_CHARACTERS
        ):
            starts.append(number)
            rows = characters = 0
        rows += patch_rows
        characters += patch_characters
    return [*starts, max(2, len(patches) + 1)]


def _all_diffs(patches: Sequence[Patch], renderer: Renderer, url: str, first: int) -> list[_PatchDiffs]:
    return [_diffs(patch, renderer, f"{url}/{place}") for place, patch in enumerate(patches, start=first)]


def _diffs(patch: Patch, renderer: Renderer, url: str) -> _PatchDiffs:
    """A diff, within what the page may show, and the id of its message."""
    # What cannot be read as a diff is all behind the link.
    section = read_diffs(patch.text) or DiffsSection([], is_cut=True)
    return patch.message_id, renderer.diffs(section, url)
