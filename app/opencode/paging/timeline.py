"""The timeline of a session: a bounded number of marks that stand for its steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

import msgspec

from app.opencode.calls import OTHER, Outcome
from app.opencode.fields import bounded
from app.opencode.model import Step

MAX_MARKS = 160
# A person is thought to have worked in a pause before a prompt unless it has more milliseconds.
MAX_WORKING_PAUSE = 10 * 60 * 1000
PROMPT, ANSWER = "prompt", "answer"
# Of what steps did, a mark shows the first of these.
SIGNIFICANCE = (
    "edit", "command", "agent", "question", OTHER, "fetch", "search", "read", "list", "todos", ANSWER, PROMPT
)  # fmt: skip


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """Steps that follow each other, on `page`; `id` is the first that failed, or else the first of them.

    `kind` is one of SIGNIFICANCE. `calls` and `failed` count by kind; an answer that ended with an error is a
    failed ANSWER. `prompt` is the number of the first prompt among the steps, or 0. `pause` is how long
    nothing happened before it, and `milliseconds` how long the steps took.
    """

    id: str
    page: int
    kind: str
    steps: int
    calls: dict[str, int]
    failed: dict[str, int]
    milliseconds: int
    prompt: int = 0
    pause: int = 0


class Timeline(msgspec.Struct, array_like=True, frozen=True):
    """Marks in order, and how long in all the agent worked, and a person between its answers."""

    marks: Sequence[Mark]
    agent_milliseconds: int
    person_milliseconds: int


class StepRecord(msgspec.Struct, array_like=True, omit_defaults=True, frozen=True):
    """What a timeline has to know of a step; `prompt` is the number of the prompt that begins with it, or 0.

    `calls` and `failed` count by kind, as in a Mark.
    """

    id: str
    is_users: bool = False
    milliseconds: int = 0
    calls: dict[str, int] = {}
    failed: dict[str, int] = {}
    prompt: int = 0
    pause: int = 0


@dataclass(frozen=True)
class StepsOnPage:
    """How many steps are on a page, and an encoded list of their StepRecords."""

    count: int
    encoded: bytes


@dataclass(frozen=True)
class KnownMarks:
    """The marks of an earlier version, and how many pages from the first on were the same in it."""

    marks: Sequence[Mark]
    step_count: int
    same_pages: int


def record_of_step(step: Step, outcomes: Iterable[Outcome | None], prompt: int, pause: int) -> StepRecord:
    """The record of a step whose parts have these outcomes. What was undone is there, but not counted."""
    calls: dict[str, int] = {}
    failed: dict[str, int] = {}
    if step.failure and not step.failure.aborted:
        failed[ANSWER] = 1
    for outcome in () if step.is_undone else outcomes:
        if outcome:
            kind, has_failed = outcome
            calls[kind] = calls.get(kind, 0) + 1
            if has_failed:
                failed[kind] = failed.get(kind, 0) + 1
    milliseconds = bounded(step.milliseconds or 0)
    return StepRecord(step.id, step.role == "user", milliseconds, calls, failed, prompt, pause)


def marks_of(pages: Sequence[StepsOnPage], known: KnownMarks) -> Sequence[Mark]:
    """The marks of a conversation; of pages that are the same as before, those that are known."""
    size = _steps_in_mark(sum(page.count for page in pages))
    done: list[Mark] = []
    if size and size == _steps_in_mark(known.step_count):
        done = list(known.marks[: sum(page.count for page in pages[: known.same_pages]) // size])
    skipped = len(done) * size
    marks: list[_Mark] = []
    for number, page in enumerate(pages, start=1):
        if skipped >= page.count:
            skipped -= page.count
            continue
        for step in _decode_steps(page.encoded)[skipped:]:
            if not marks or marks[-1].steps == size:
                marks.append(_Mark(step.id, number))
            marks[-1].add(step, number)
        skipped = 0
    return [*done, *(mark.done() for mark in marks)]


def _steps_in_mark(step_count: int) -> int:
    return ceil(step_count / MAX_MARKS)


_decode_steps = msgspec.msgpack.Decoder(list[StepRecord]).decode


@dataclass(slots=True)
class _Mark:
    """A Mark to which steps are added. This is done for every step of a document, so it costs little."""

    id: str
    page: int
    kinds: set[str] = field(default_factory=set)
    steps: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    milliseconds: int = 0
    prompt: int = 0
    pause: int = 0

    def add(self, step: StepRecord, page: int) -> None:
        self.steps += 1
        self.milliseconds += step.milliseconds
        if step.failed and not self.failed:
            self.id, self.page = step.id, page
        for counts, added in ((self.calls, step.calls), (self.failed, step.failed)):
            for kind, count in added.items():
                counts[kind] = counts.get(kind, 0) + count
        self.kinds.add(PROMPT if step.is_users else ANSWER)
        self.prompt = self.prompt or step.prompt
        self.pause = max(self.pause, step.pause)

    def done(self) -> Mark:
        kind = min(self.failed or self.calls or self.kinds, key=SIGNIFICANCE.index)
        milliseconds = bounded(self.milliseconds)
        return Mark(
            self.id,
            self.page,
            kind,
            self.steps,
            self.calls,
            self.failed,
            milliseconds,
            self.prompt,
            self.pause,
        )
