"""How many files and lines a session changed, from short records of its changes.

An index has these of every step, so that what changed is counted anew without reading a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from app.opencode.calls import EDIT, EDITING_TOOLS, Outcome
from app.opencode.changes.file_diffs import FileDiff, listed_diffs, tool_diffs
from app.opencode.children import may_name_session
from app.opencode.fields import bounded
from app.opencode.model import NOTHING, Step, Tool
from app.opencode.paths import canonical_path

MAX_CHANGED_FILES = 10_000
# Later changes are not even counted.
MAX_DIFFS = 100_000

# Kinds of records. A stretch begins with a message that may record what its answers changed.
STRETCH, UNDONE, RECORDED, EDITED, CALLED = range(5)


@dataclass(frozen=True)
class Totals:
    """How many files and lines were changed; at least so many, if `is_cut`."""

    files: int
    additions: int
    deletions: int
    is_cut: bool = False


class ChangeRecord(msgspec.Struct, array_like=True, omit_defaults=True, frozen=True):
    """One of the kinds: that a stretch begins, or that something in it was undone; a file that a message
    records or a call edited, by its canonical path; or the id of a session that a call started."""

    kind: int
    name: str = ""
    additions: int = 0
    deletions: int = 0


@dataclass(frozen=True)
class SessionChanges:
    """What is counted of a session; `diffs` is what the document says that all of it changed."""

    id: str
    directory: str
    read_records: Callable[[], Iterable[ChangeRecord]]
    diffs: Raw = field(default_factory=lambda: NOTHING)
    is_undone: bool = False


def recorded_files(step: Step, directory: str) -> list[ChangeRecord]:
    """What a step records; none of what was undone, in a session that ran in `directory`."""
    if step.is_undone or step.diffs is NOTHING:
        return []
    return [_file(RECORDED, diff, directory) for diff in listed_diffs(step.diffs, with_patches=False)]


def called_or_edited(calls: Iterable[Tool], directory: str) -> Iterator[ChangeRecord]:
    """What `calls_that_change` did."""
    for tool in calls:
        if tool.child_id:
            yield ChangeRecord(CALLED, tool.child_id)
        elif tool.status == "completed":
            yield from (_file(EDITED, diff, directory) for diff in tool_diffs(tool))


def calls_that_change(
    step: Step, outcomes: Iterable[Outcome | None], own_id: str, *, with_edits: bool
) -> Iterator[Tool]:
    """The calls that lead to another session than `own_id` and, `with_edits`, those of editing tools.

    `outcomes` are those of the parts (`call_outcome`): only calls are looked at.
    """
    for index, (part, outcome) in enumerate(zip(step.parts, outcomes, strict=True), start=step.first_part):
        if outcome is None:
            continue
        is_edit = with_edits and outcome[0] == EDIT
        if is_edit or may_name_session(bytes(part), own_id):
            block = step.read_part(part, index)
            if isinstance(block, Tool) and (block.child_id or (is_edit and block.name in EDITING_TOOLS)):
                yield block


def totals(session: SessionChanges, children: Mapping[str, SessionChanges]) -> Totals:
    """How many files and lines a session changed, and the `children` that its calls led to."""
    counted = _Counted()
    seen = {session.id}
    waiting = [session]
    for each in waiting:
        for record in _that_count(each.read_records()):
            if counted.is_full:
                return counted.totals()
            if record.kind != CALLED:
                counted.add(record)
            elif record.name in children and record.name not in seen:
                seen.add(record.name)
                waiting.append(children[record.name])
    # When OpenCode undoes something, it puts what was undone here.
    if not session.is_undone:
        recorded = set(counted.paths)
        for diff in listed_diffs(session.diffs, with_patches=False):
            if counted.is_full:
                break
            record = _file(RECORDED, diff, session.directory)
            if record.name not in recorded:
                counted.add(record)
    return counted.totals()


def _that_count(records: Iterable[ChangeRecord]) -> Iterator[ChangeRecord]:
    """Of each stretch what its messages record; if that is nothing, or a part was undone, what calls did."""
    stretch: list[ChangeRecord] = []
    for record in records:
        if record.kind == STRETCH:
            yield from _of_stretch(stretch)
            stretch = []
        stretch.append(record)
    yield from _of_stretch(stretch)


def _of_stretch(records: Sequence[ChangeRecord]) -> Iterator[ChangeRecord]:
    kinds = {record.kind for record in records}
    wanted = (RECORDED,) if RECORDED in kinds and UNDONE not in kinds else (EDITED, CALLED)
    return (record for record in records if record.kind in wanted)


class _Counted:
    def __init__(self) -> None:
        self.paths: set[str] = set()
        self._additions = self._deletions = self._diffs = 0

    @property
    def is_full(self) -> bool:
        return self._diffs >= MAX_DIFFS

    def add(self, record: ChangeRecord) -> None:
        self._diffs += 1
        if record.name not in self.paths:
            if len(self.paths) == MAX_CHANGED_FILES:
                return
            self.paths.add(record.name)
        self._additions += record.additions
        self._deletions += record.deletions

    def totals(self) -> Totals:
        additions, deletions = bounded(self._additions), bounded(self._deletions)
        return Totals(len(self.paths), additions, deletions, self.is_full)


def _file(kind: int, diff: FileDiff, directory: str) -> ChangeRecord:
    path = canonical_path(diff.path, directory)
    return ChangeRecord(kind, path, bounded(diff.additions), bounded(diff.deletions))
