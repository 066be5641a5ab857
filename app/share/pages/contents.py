"""The table of contents: the prompts of a session, each with a link to where it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.opencode import IndexedSession
from app.opencode.paging.index_writer import Prompt
from app.opencode.paging.pages import Page, title_of
from app.share.pages.links import ShareLinks


@dataclass(frozen=True)
class Entry:
    number: int
    text: str
    url: str


@dataclass(frozen=True)
class Contents:
    """The first prompts of `count`."""

    entries: Sequence[Entry]
    count: int

    @property
    def hidden(self) -> int:
        return self.count - len(self.entries)


def contents_of(session: IndexedSession, links: ShareLinks, page: Page) -> Contents:
    """The first prompts; links to those on `page` stay within it."""
    return Contents(_entries(session.prompts, links, page), len(session.conversation.turns))


def all_contents_of(session: IndexedSession, links: ShareLinks) -> Contents:
    """Every prompt; the whole conversation is read for that."""
    turns = session.conversation.turns
    return Contents(_entries((Prompt(turn.id, title_of(turn)) for turn in turns), links), len(turns))


def _entries(prompts: Iterable[Prompt], links: ShareLinks, page: Page | None = None) -> list[Entry]:
    return [
        Entry(
            number,
            prompt.title,
            f"#{prompt.id}" if page and page.has(prompt.id) else links.part(prompt.id, prompt.id),
        )
        for number, prompt in enumerate(prompts, start=1)
    ]
