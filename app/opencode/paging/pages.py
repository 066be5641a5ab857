"""Cuts a conversation into pages of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from app.opencode.model import Step, TurnTotals

PAGE_BYTES = 128 * 1024
PAGE_STEPS = 150


@dataclass(frozen=True)
class PlacedStep:
    """A step on a page; `shows_author` unless the step before has the same author."""

    step: Step
    shows_author: bool


@dataclass
class PageTurn:
    """The steps of one turn that are on a page; `number` counts turns from 1.

    `is_continued` if the turn began on the page before; `totals` are of the whole turn, if it ends here.
    """

    number: int
    is_continued: bool = False
    totals: TurnTotals | None = None
    steps: list[PlacedStep] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """One page, numbered from 1 to `count`."""

    number: int
    count: int
    turns: Sequence[PageTurn]

    @property
    def neighbours(self) -> list[int]:
        """The pages to link: the first, the last and those around this one; 0 stands for a gap."""
        near = range(max(1, self.number - 2), min(self.count, self.number + 2) + 1)
        numbers = sorted({1, *near, self.count})
        gaps = [0 if number - before > 1 else None for before, number in pairwise([0, *numbers])]
        return [each for pair in zip(gaps, numbers, strict=True) for each in pair if each is not None]

    @cached_property
    def step_ids(self) -> frozenset[str]:
        return frozenset(placed.step.id for turn in self.turns for placed in turn.steps)

    def has(self, step_id: str) -> bool:
        """Whether a step is on this page; a message's id is that of its first step."""
        return step_id in self.step_ids
