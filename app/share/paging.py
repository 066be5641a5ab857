"""Cuts a conversation into pages of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.session import Conversation, Step

PAGE_BYTES = 384 * 1024
PAGE_STEPS = 300
# However long a step is, the excerpts that a page shows of it are about this long at most.
STEP_BYTES = 64 * 1024


@dataclass
class PageTurn:
    """The steps of one turn that stand on a page; `number` counts turns from 1."""

    number: int
    steps: list[Step]


@dataclass(frozen=True)
class Page:
    number: int
    count: int
    turns: Sequence[PageTurn]


def page_of(conversation: Conversation, number: int) -> Page | None:
    """Page `number`, counted from 1; None when the conversation has no such page."""
    pages: list[list[PageTurn]] = [[]]
    size = steps = 0
    for turn_number, turn in enumerate(conversation.turns, start=1):
        for step in turn.steps:
            weight = min(step.size, STEP_BYTES)
            if steps and (size + weight > PAGE_BYTES or steps == PAGE_STEPS):
                pages.append([])
                size = steps = 0
            if not pages[-1] or pages[-1][-1].number != turn_number:
                pages[-1].append(PageTurn(turn_number, []))
            pages[-1][-1].steps.append(step)
            size += weight
            steps += 1
    return Page(number, len(pages), pages[number - 1]) if 1 <= number <= len(pages) else None
