"""The timeline of a session: a bounded number of marks that stand for its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

import msgspec

from app.opencode.calls import OTHER, call_outcome
from app.opencode.fields import bounded
from app.opencode.model import Step
from app.opencode.paging.pages import Page

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


def timeline_of(pages: Sequence[Page]) -> Timeline:
    """The timeline of a conversation. What was undone is in it, but not counted."""
    size = ceil(sum(len(turn.steps) for page in pages for turn in page.turns) / MAX_MARKS)
    marks: list[_Mark] = []
    prompts = working = absent_since = 0
    for page in pages:
        for turn in page.turns:
            for place, placed in enumerate(turn.steps):
                step = placed.step
                if not marks or marks[-1].steps == size:
                    marks.append(_Mark(step.id, page.number))
                mark = marks[-1]
                mark.add(step, page.number)
                if step.role == "user" and place == 0 and not turn.is_continued:
                    prompts += 1
                    pause = max(0, step.at - absent_since) if step.at and absent_since else 0
                    mark.begin_turn(prompts, pause)
                    working += pause if pause <= MAX_WORKING_PAUSE else 0
                if step.at:
                    absent_since = max(absent_since, step.at + (step.milliseconds or 0))
    spans = (turn.totals.milliseconds or 0 for page in pages for turn in page.turns if turn.totals)
    return Timeline([mark.done() for mark in marks], bounded(sum(spans)), bounded(working))


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

    def add(self, step: Step, page: int) -> None:
        self.steps += 1
        self.milliseconds += step.milliseconds or 0
        failed = [ANSWER] if step.failure and not step.failure.aborted else []
        for part in () if step.is_undone else step.parts:
            if outcome := call_outcome(part):
                kind, has_failed = outcome
                self.calls[kind] = self.calls.get(kind, 0) + 1
                if has_failed:
                    failed.append(kind)
        if failed and not self.failed:
            self.id, self.page = step.id, page
        for kind in failed:
            self.failed[kind] = self.failed.get(kind, 0) + 1
        self.kinds.add(PROMPT if step.role == "user" else ANSWER)

    def begin_turn(self, prompt: int, pause: int) -> None:
        self.prompt = self.prompt or prompt
        self.pause = max(self.pause, pause)

    def done(self) -> Mark:
        kind = min(self.failed or self.calls or self.kinds, key=SIGNIFICANCE.index)
        milliseconds, pause = bounded(self.milliseconds), bounded(self.pause)
        return Mark(
            self.id, self.page, kind, self.steps, self.calls, self.failed, milliseconds, self.prompt, pause
        )
