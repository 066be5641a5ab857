"""Gathers every file that a session changed, from all the places where a document records it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.opencode.changes.edits import Edit, editing_calls, edits_by_path
from app.opencode.changes.file_diffs import ChangeStatus, FileDiff, listed_diffs, tool_diffs
from app.opencode.changes.totals import MAX_CHANGED_FILES, MAX_DIFFS
from app.opencode.model import Conversation, Step
from app.opencode.paths import canonical_path

MAX_PATCHES = 50_000
# Beyond this, patches are left out and only their lines are counted.
MAX_PATCH_CHARACTERS = 32 * 1024 * 1024


@dataclass(frozen=True)
class Patch:
    """One change of a file as a unified diff; `message_id` is empty if only the whole session records it.

    `edits` are the calls that made it, as far as they are known.
    """

    message_id: str
    text: str
    edits: Sequence[Edit] = ()


@dataclass
class FileChange:
    """All changes of one file; `path` is relative to the session's folder if it is below it.

    So is `old_path`, which is empty unless the file was moved.
    """

    path: str
    status: ChangeStatus
    additions: int = 0
    deletions: int = 0
    patches: list[Patch] = field(default_factory=list)
    old_path: str = ""


def changes(conversation: Conversation) -> list[FileChange]:
    """The files that the session changed and did not undo, in the order of their paths.

    OpenCode records with a prompt what its answers changed, taken from the files themselves. Where it does
    not, the calls of editing tools are used, and those of the sub-agents that were started. What the document
    records for the session as a whole is only used for files that are in neither.
    """
    gathered = _gather(conversation)
    return sorted(gathered.files.values(), key=lambda change: change.path)


def _gather(conversation: Conversation) -> _Gathered:
    gathered = _Gathered()
    seen = {conversation.id}
    waiting = [conversation]
    for session in waiting:
        for change in _changes(session):
            if gathered.is_full:
                return gathered
            if change.diff:
                gathered.add(change.diff, session.directory, change.message_id, change.edits)
            child = conversation.children.get(change.child_id)
            if child and child.id not in seen:
                seen.add(child.id)
                waiting.append(child)
    # When OpenCode undoes something, it puts what was undone here.
    if not any(step.is_undone for step in conversation.steps):
        recorded = set(gathered.files)
        for diff in listed_diffs(conversation.diffs):
            if gathered.is_full:
                return gathered
            if canonical_path(diff.path, conversation.directory) not in recorded:
                gathered.add(diff, conversation.directory)
    return gathered


@dataclass(frozen=True)
class _Change:
    """A change that a message made and the calls that made it, or a sub-agent's session that it started."""

    message_id: str
    diff: FileDiff | None = None
    child_id: str = ""
    edits: Sequence[Edit] = ()


def _changes(conversation: Conversation) -> Iterator[_Change]:
    """The changes of a conversation, in the order in which they were made."""
    for steps in _stretches(conversation):
        recorded = [
            (step.message_id, diff) for step in _recording(steps) for diff in listed_diffs(step.diffs)
        ]
        if not recorded:
            yield from _tool_changes(steps, conversation)
            continue
        edits = edits_by_path(steps, conversation)
        for message_id, diff in recorded:
            made_by = edits.get(canonical_path(diff.path, conversation.directory), ())
            yield _Change(message_id, diff, edits=made_by)


def _stretches(conversation: Conversation) -> Iterator[list[Step]]:
    """The steps in pieces that each begin with a message which may record what its answers changed."""
    for turn in conversation.turns:
        steps: list[Step] = []
        for step in turn.steps:
            if steps and step.role != "assistant" and step.piece == 0:
                yield steps
                steps = []
            steps.append(step)
        yield steps


def _recording(steps: Sequence[Step]) -> Sequence[Step]:
    """The steps that record what was changed; none if a part was undone, since that is included."""
    return [] if any(step.is_undone for step in steps) else steps


def _tool_changes(steps: Sequence[Step], conversation: Conversation) -> Iterator[_Change]:
    for call in editing_calls(steps, conversation):
        message_id = call.step.message_id
        if call.tool.child_id:
            yield _Change(message_id, child_id=call.tool.child_id)
        elif call.tool.status == "completed":
            for diff in tool_diffs(call.tool):
                yield _Change(message_id, diff, edits=[call.edit(diff, conversation.directory, is_all=True)])


class _Gathered:
    def __init__(self) -> None:
        self.files: dict[str, FileChange] = {}
        self._patches = 0
        self._diffs = 0
        self._characters = 0

    @property
    def is_full(self) -> bool:
        """Whether as many diffs were added as are counted."""
        return self._diffs >= MAX_DIFFS

    def add(self, diff: FileDiff, directory: str, message_id: str = "", edits: Sequence[Edit] = ()) -> None:
        self._diffs += 1
        path = canonical_path(diff.path, directory)
        change = self.files.get(path)
        if change is None:
            if len(self.files) == MAX_CHANGED_FILES:
                return
            change = self.files[path] = FileChange(path, diff.status)
        change.status = _combined(change.status, diff.status)
        change.additions += diff.additions
        change.deletions += diff.deletions
        # A prompt records a move as a file that is gone and one that is new; the edits know better.
        moved_from = next((edit.old_path for edit in edits if edit.old_path), "")
        if moved_from not in ("", path):
            change.old_path = moved_from
        characters = len(diff.patch) + sum(edit.characters for edit in edits)
        is_room = self._characters + characters <= MAX_PATCH_CHARACTERS and self._patches < MAX_PATCHES
        if diff.patch and is_room:
            self._characters += characters
            self._patches += 1
            change.patches.append(Patch(message_id, diff.patch, edits))


def _combined(earlier: ChangeStatus, later: ChangeStatus) -> ChangeStatus:
    """The status of a file that was changed twice."""
    if earlier == later or later == "deleted":
        return later
    return "added" if earlier == "added" else "modified"
