"""What calls did, counted: a run of calls that only look at something becomes one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from app.opencode.calls import EDITING_TOOLS
from app.opencode.changes.file_diffs import tool_diffs
from app.opencode.model import Block, Reasoning, Step, Tool
from app.opencode.paths import canonical_path
from app.render.filters import plural
from app.render.tools.registry import kind_of
from app.render.tools.shell import is_failure
from app.render.tools.view import ToolView

T = TypeVar("T")

# The kinds of calls that only look at something, as a run of them is told, and in that order.
PHRASES: Mapping[str, Callable[[int], str]] = {
    "read": lambda count: f"read {plural(count, 'file')}",
    "search": lambda count: plural(count, "search", "searches"),
    "list": lambda count: plural(count, "list"),
    "fetch": lambda count: plural(count, "web page"),
}
MIN_CALLS = 2
# Calls that are open at first: what changed, and what was asked.
OPEN_KINDS = ("edit", "question")


class Activity(msgspec.Struct, frozen=True):
    """How many calls of each kind there were, how many thoughts between them, and how long they took."""

    calls: dict[str, int] = {}
    thoughts: int = 0
    milliseconds: int = 0

    @property
    def count(self) -> int:
        return sum(self.calls.values())

    @property
    def label(self) -> str:
        """`Read 6 files, 3 searches, 2 lists`."""
        phrases = [phrase(self.calls[kind]) for kind, phrase in PHRASES.items() if kind in self.calls]
        if self.thoughts:
            phrases.append(plural(self.thoughts, "thought"))
        line = ", ".join(phrases)
        return line[:1].upper() + line[1:]

    def __add__(self, other: Activity) -> Activity:
        kinds = self.calls.keys() | other.calls.keys()
        return Activity(
            {kind: self.calls.get(kind, 0) + other.calls.get(kind, 0) for kind in kinds},
            self.thoughts + other.thoughts,
            self.milliseconds + other.milliseconds,
        )


class Outcome(msgspec.Struct, frozen=True):
    """The paths of the files that calls changed, and how many of the calls failed."""

    files: list[str] = []
    failed: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(list(dict.fromkeys([*self.files, *other.files])), self.failed + other.failed)


@dataclass(frozen=True)
class Run(Generic[T]):
    """Items that follow each other; with an `activity`, one line says what they are."""

    items: list[T]
    activity: Activity | None = None


def activity_of(block: Block) -> Activity | None:
    """What a block did, if it only looked at something and nothing about it needs to be seen."""
    if isinstance(block, Reasoning):
        return Activity(thoughts=1, milliseconds=block.milliseconds or 0)
    if not isinstance(block, Tool) or block.status != "completed" or block.files or block.child_id:
        return None
    kind = kind_of(block)
    return Activity({kind: 1}, milliseconds=block.milliseconds or 0) if kind in PHRASES else None


def activity_of_step(step: Step) -> Activity | None:
    """As above, of all blocks of a step; None if there is anything else to see in it."""
    if step.role != "assistant" or step.failure or step.finish == "length":
        return None
    if step.is_summary or step.is_undone:
        return None
    activities = [activity_of(block) for block in step.blocks]
    known = [activity for activity in activities if activity]
    if not known or len(known) < len(activities):
        return None
    return sum(known, Activity())


def outcome_of_step(step: Step, directory: str) -> Outcome:
    """What came of the calls of a step, unless it was undone; `directory` is the folder of the session."""
    if step.is_undone:
        return Outcome()
    calls = [block for block in step.blocks if isinstance(block, Tool)]
    changed = (call for call in calls if call.name in EDITING_TOOLS and call.status == "completed")
    return Outcome(
        files=list(
            dict.fromkeys(
                canonical_path(diff.path, directory) for call in changed for diff in tool_diffs(call)
            )
        ),
        failed=sum(has_failed(call) for call in calls),
    )


def is_notable(call: Tool, view: ToolView) -> bool:
    """Whether highlights show all of a call, because it changed, failed, asked or showed something."""
    is_failed = call.status == "error" or view.is_failure
    return is_failed or bool(call.files) or kind_of(call) in OPEN_KINDS


def has_failed(call: Tool) -> bool:
    """Whether a call, or the command that it ran, failed."""
    try:
        return call.status == "error" or (kind_of(call) == "command" and is_failure(call))
    except (msgspec.DecodeError, RecursionError):
        # What a command reports is not as it should be, which its own block says.
        return False


def runs(items: Iterable[tuple[T, Activity | None]]) -> Iterator[Run[T]]:
    """The items in order: runs of at least MIN_CALLS calls together, every other item alone."""
    quiet: list[T] = []
    total = Activity()

    def end_run() -> Iterator[Run[T]]:
        nonlocal quiet, total
        if total.count >= MIN_CALLS:
            yield Run(quiet, total)
        else:
            yield from (Run([item]) for item in quiet)
        quiet, total = [], Activity()

    for item, activity in items:
        if activity is None:
            yield from end_run()
            yield Run([item])
        else:
            quiet.append(item)
            total += activity
    yield from end_run()
