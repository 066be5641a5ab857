"""Gathers every file that a session changed, from all the places where a document records it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.opencode.calls import EDITING_TOOLS
from app.opencode.changes.file_diffs import ChangeStatus, FileDiff, listed_diffs, tool_diffs
from app.opencode.children import names_child
from app.opencode.model import MAX_PART_BYTES, Conversation, Step, Tool
from app.opencode.paths import canonical_path

MAX_CHANGED_FILES = 10_000
MAX_PATCHES = 50_000
# Later changes are not even counted.
MAX_DIFFS = 100_000
# Beyond this, patches are left out and only their lines are counted.
MAX_PATCH_CHARACTERS = 32 * 1024 * 1024

_NAMES_IN_JSON = [f'"{name}"'.encode() for name in EDITING_TOOLS]


@dataclass(frozen=True)
class Patch:
    """One change of a file as a unified diff; `message_id` is empty if only the whole session records it."""

    message_id: str
    text: str


@dataclass
class FileChange:
    """All changes of one file; `path` is relative to the session's folder if it is below it."""

    path: str
    status: ChangeStatus
    additions: int = 0
    deletions: int = 0
    patches: list[Patch] = field(default_factory=list)


@dataclass(frozen=True)
class Totals:
    """How many files and lines were changed; at least so many, if `is_cut`."""

    files: int
    additions: int
    deletions: int
    is_cut: bool = False


def changes(conversation: Conversation) -> list[FileChange]:
    """The files that the session changed and did not undo, in the order of their paths.

    OpenCode records with a prompt what its answers changed, taken from the files themselves. Where it does
    not, the calls of editing tools are used, and those of the sub-agents that were started. What the document
    records for the session as a whole is only used for files that are in neither.
    """
    gathered = _gather(conversation, MAX_PATCH_CHARACTERS)
    return sorted(gathered.files.values(), key=lambda change: change.path)


def totals(conversation: Conversation, *, with_sub_agents: bool = True) -> Totals:
    """How many files and lines changed, without keeping a patch."""
    gathered = _gather(conversation, max_characters=0, with_sub_agents=with_sub_agents)
    changed = gathered.files.values()
    return Totals(
        files=len(changed),
        additions=sum(change.additions for change in changed),
        deletions=sum(change.deletions for change in changed),
        is_cut=gathered.is_full,
    )


def _gather(conversation: Conversation, max_characters: int, *, with_sub_agents: bool = True) -> _Gathered:
    gathered = _Gathered(max_characters)
    seen = {conversation.id}
    waiting = [conversation]
    for session in waiting:
        for message_id, diff, child_id in _diffs(session):
            if gathered.is_full:
                return gathered
            if diff:
                gathered.add(diff, session.directory, message_id)
            child = conversation.children.get(child_id) if child_id and with_sub_agents else None
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
                gathered.add(diff, conversation.directory, "")
    return gathered


# The id of a message, and a change that it made or a sub-agent's session that it started.
_Change = tuple[str, FileDiff | None, str | None]


def _diffs(conversation: Conversation) -> Iterator[_Change]:
    """The changes of a conversation, in the order in which they were made."""
    for steps in _stretches(conversation):
        recorded = [
            (step.message_id, diff, None) for step in _recording(steps) for diff in listed_diffs(step.diffs)
        ]
        yield from recorded or _tool_changes(steps, conversation)


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
    for step in steps:
        if step.is_undone:
            continue
        for tool in _tools(step, conversation):
            if tool.child_id:
                yield step.message_id, None, tool.child_id
            elif tool.status == "completed":
                yield from ((step.message_id, diff, None) for diff in tool_diffs(tool))


def _tools(step: Step, conversation: Conversation) -> Iterator[Tool]:
    """The calls of editing tools, and those that lead to a sub-agent; other parts are not even read."""
    for index, part in enumerate(step.parts, start=step.first_part):
        if len(memoryview(part)) > MAX_PART_BYTES:
            continue
        encoded = bytes(part)
        if any(name in encoded for name in _NAMES_IN_JSON) or names_child(part, conversation):
            block = step.read_part(part, index)
            if isinstance(block, Tool) and (block.name in EDITING_TOOLS or block.child_id):
                yield block


class _Gathered:
    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters
        self.files: dict[str, FileChange] = {}
        self._patches = 0
        self._diffs = 0
        self._characters = 0

    @property
    def is_full(self) -> bool:
        """Whether as many diffs were added as are counted."""
        return self._diffs >= MAX_DIFFS

    def add(self, diff: FileDiff, directory: str, message_id: str) -> None:
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
        is_room = self._characters + len(diff.patch) <= self._max_characters and self._patches < MAX_PATCHES
        if diff.patch and is_room:
            self._characters += len(diff.patch)
            self._patches += 1
            change.patches.append(Patch(message_id, diff.patch))


def _combined(earlier: ChangeStatus, later: ChangeStatus) -> ChangeStatus:
    """The status of a file that was changed twice."""
    if earlier == later or later == "deleted":
        return later
    return "added" if earlier == "added" else "modified"
