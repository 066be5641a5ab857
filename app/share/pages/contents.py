"""The table of contents: the prompts of a session, each with a link to where it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.opencode import IndexedSession
from app.opencode.paging.pages import Page
from app.opencode.paging.prompts import MAX_FIRST_PROMPTS
from app.opencode.paging.records import Prompt
from app.share.pages.links import ShareLinks


@dataclass(frozen=True)
class Entry:
    number: int
    text: str
    url: str


@dataclass(frozen=True)
class Contents:
    """The `first` prompts of `count`, and the `last`; between them, `hidden` others are left out."""

    first: Sequence[Entry]
    last: Sequence[Entry]
    count: int

    @property
    def hidden(self) -> int:
        return self.count - len(self.first) - len(self.last)


def contents_of(session: IndexedSession, links: ShareLinks, page: Page | None = None) -> Contents:
    """The first and the last prompts; links to those on `page` stay within it."""
    entries = _entries(session.prompts, links, page)
    return Contents(entries[:MAX_FIRST_PROMPTS], entries[MAX_FIRST_PROMPTS:], session.prompt_count)


def prompts_on_page(session: IndexedSession, links: ShareLinks, number: int) -> Sequence[Entry] | None:
    """The prompts on a page of all of them; None if there is no such page."""
    prompts = session.prompt_pages.get(number)
    return None if prompts is None else _entries(prompts, links)


def _entries(prompts: Iterable[Prompt], links: ShareLinks, page: Page | None = None) -> list[Entry]:
    return [
        Entry(
            prompt.number,
            prompt.title,
            f"#{prompt.id}" if page and page.has(prompt.id) else links.part(prompt.id, prompt.id),
        )
        for prompt in prompts
    ]
