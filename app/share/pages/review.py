"""What pages of changes show: the patches of each file, and the story of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from app.opencode.changes.changes import Patch
from app.opencode.changes.edits import Edit
from app.opencode.changes.record import FileRecord
from app.opencode.paths import is_generated
from app.render import Renderer
from app.render.diff.folding import Piece, fold_context
from app.render.diff.html import HEAD_ROWS, MAX_CHARACTERS, MAX_ROWS, DiffLines
from app.render.excerpts import DiffExcerpts
from app.render.filters import short
from app.render.text.markdown import markdown
from app.render.tools.files import read_diffs
from app.render.tools.view import DiffsSection
from app.share.pages.links import ShareLinks

# How many rows of diffs, and characters of patches, one page of a file shows.
PAGE_ROWS = 2_000
PAGE_CHARACTERS = 1024 * 1024
# How many of the calls that made a patch have a link beside it; the story of the file has all.
MAX_EDIT_LINKS = 20


@dataclass(frozen=True)
class ReviewedPatch:
    """A patch as far as its page has room for it, with the calls that made it.

    `message_id` is that of the prompt that records it; empty if none does.
    """

    diffs: DiffExcerpts
    message_id: str
    edits: Sequence[Edit]
    hidden_edits: int = 0

    def pieces(self, diff: DiffLines) -> Sequence[Piece]:
        return fold_context(diff.lines)


@dataclass(frozen=True)
class Event:
    """An edit in the story of a file: what was said before it, unless that is said already, and its patch.

    One without a call is a patch that a prompt records, whose `message_id` it has.
    """

    text: str
    full_url: str
    message_id: str
    edit: Edit | None = None
    said: str = ""

    def reviewed(self, renderer: Renderer) -> ReviewedPatch:
        diffs = _diffs(self.text, renderer, self.full_url)
        return ReviewedPatch(diffs, self.message_id, [self.edit] if self.edit else [])

    def said_html(self, renderer: Renderer) -> Markup:
        """The words of an answer as Markdown, without the thoughts in them; plain beyond the budget."""
        said = "\n\n".join(each.text for each in renderer.passages(self.said) if not each.is_thought)
        if not renderer.budget.take_block():
            return escape(short(said))
        html = markdown(said, renderer.budget, f"said-{self.edit.part_id if self.edit else ''}")
        renderer.budget.write(len(html))
        return html


def story_of(patches: Sequence[Patch], links: ShareLinks, url: str) -> list[Event]:
    """The edits of a file in order; a patch that no call is known to have made is one.

    `url` is that of the file's page, below which its patches are.
    """
    events: list[Event] = []
    last_said = ""
    for place, patch in enumerate(patches, start=1):
        for edit in patch.edits:
            is_whole = edit.text is None
            full_url = f"{url}/{place}" if is_whole else links.full(edit.part_id, "call")
            said = edit.said if edit.said != last_said else ""
            last_said = edit.said
            text = patch.text if edit.text is None else edit.text
            events.append(Event(text, full_url, "", edit, said))
        if not patch.edits:
            events.append(Event(patch.text, f"{url}/{place}", patch.message_id))
    return events


def review(file: FileRecord, renderer: Renderer, url: str) -> list[ReviewedPatch]:
    """The patches of a file that one page shows; `url` is that of the file's page."""
    patches = file.read_patches()
    shown = patches[: page_starts([patch.text for patch in patches])[1] - 1]
    return [
        ReviewedPatch(
            _diffs(patch.text, renderer, f"{url}/{place}"),
            # Without a prompt that records it, it is the message of the call.
            "" if any(edit.text is None for edit in patch.edits) else patch.message_id,
            patch.edits[:MAX_EDIT_LINKS],
            max(0, len(patch.edits) - MAX_EDIT_LINKS),
        )
        for place, patch in enumerate(shown, start=1)
    ]


def in_reading_order(files: Sequence[tuple[int, FileRecord]]) -> Iterator[tuple[int, FileRecord]]:
    """The files with a diff: what people wrote first, then what programs did."""
    for wanted in (False, True):
        yield from (
            (number, file) for number, file in files if file.count and is_generated(file.path) == wanted
        )


def page_starts(patches: Sequence[str]) -> list[int]:
    """The number of the first patch on each page, and one more than that of the last patch."""
    starts = [1]
    rows = characters = 0
    for number, patch in enumerate(patches, start=1):
        # No more of a patch is shown than this.
        patch_rows = HEAD_ROWS + min(patch.count("\n") + 1, MAX_ROWS)
        patch_characters = min(len(patch), MAX_CHARACTERS)
        if number > starts[-1] and (
            rows + patch_rows > PAGE_ROWS or characters + patch_characters > PAGE_CHARACTERS
        ):
            starts.append(number)
            rows = characters = 0
        rows += patch_rows
        characters += patch_characters
    return [*starts, max(2, len(patches) + 1)]


def _diffs(patch: str, renderer: Renderer, url: str) -> DiffExcerpts:
    # What cannot be read as a diff is all behind the link.
    return renderer.diffs(read_diffs(patch) or DiffsSection([], is_cut=True), url)
