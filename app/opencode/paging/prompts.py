"""The prompts of a session, from the records of its pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from app.opencode.paging.records import PageRecord, Prompt, decode_prompts

# How many of them every page of the session lists.
MAX_FIRST_PROMPTS = MAX_LAST_PROMPTS = 100
# How many prompts one page of all of them has.
PAGE_PROMPTS = 500


class PromptPages:
    """All prompts of a conversation, in pages that are numbered from 1; at least one, which may be empty."""

    def __init__(self, pages: Sequence[PageRecord]) -> None:
        self._pages = pages
        self._count = sum(page.prompt_count for page in pages)

    def __len__(self) -> int:
        return max(1, -(-self._count // PAGE_PROMPTS))

    def get(self, number: int) -> list[Prompt] | None:
        if not 1 <= number <= len(self):
            return None
        return list(_prompts(self._pages, (number - 1) * PAGE_PROMPTS, PAGE_PROMPTS))


def first_and_last(pages: Sequence[PageRecord]) -> list[Prompt]:
    """The first and the last prompts, in order."""
    count = sum(page.prompt_count for page in pages)
    start = max(MAX_FIRST_PROMPTS, count - MAX_LAST_PROMPTS)
    return [*_prompts(pages, 0, MAX_FIRST_PROMPTS), *_prompts(pages, start, MAX_LAST_PROMPTS)]


def _prompts(pages: Iterable[PageRecord], start: int, count: int) -> Iterator[Prompt]:
    """So many prompts from the one numbered `start` on, from 0; no page without one of them is decoded."""
    return islice(_from(pages, start), count)


def _from(pages: Iterable[PageRecord], start: int) -> Iterator[Prompt]:
    for page in pages:
        if start < page.prompt_count:
            yield from decode_prompts(page.prompts)[start:]
        start = max(0, start - page.prompt_count)
