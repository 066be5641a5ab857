"""The pages of a conversation that was read whole, as an index has to give them back."""

from __future__ import annotations

from app.opencode import Conversation, Turn
from app.opencode.paging.pages import PAGE_BYTES, PAGE_STEPS, Page, PageTurn, PlacedStep


def pages_of(conversation: Conversation) -> list[Page]:
    """The pages of a conversation; at least one, which may be empty."""
    pages: list[list[PageTurn]] = [[]]
    size = steps = 0
    for number, turn in enumerate(conversation.turns, start=1):
        for place, placed in enumerate(_placed(turn)):
            if steps and (size + placed.step.weight > PAGE_BYTES or steps == PAGE_STEPS):
                pages.append([])
                size = steps = 0
            if not pages[-1] or pages[-1][-1].number != number:
                pages[-1].append(PageTurn(number, is_continued=place > 0))
            pages[-1][-1].steps.append(placed)
            size += placed.step.weight
            steps += 1
        if turn.steps:
            pages[-1][-1].totals = turn.totals
    return [Page(number, len(pages), turns) for number, turns in enumerate(pages, start=1)]


def _placed(turn: Turn) -> list[PlacedStep]:
    authors = [(step.role, step.agent, step.model) for step in turn.steps]
    return [
        PlacedStep(step, shows_author=index == 0 or authors[index] != authors[index - 1])
        for index, step in enumerate(turn.steps)
    ]
