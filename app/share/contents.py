"""The table of contents: the prompts of a session, each with a link to where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.session import Conversation, Turn
from app.session.model import Notice, Text
from app.share.links import ShareLinks
from app.share.paging import Page

MAX_ENTRIES = 200


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


def contents_of(
    conversation: Conversation, links: ShareLinks, page: Page | None = None, limit: int | None = MAX_ENTRIES
) -> Contents:
    """The first `limit` prompts; those on `page` are linked within it."""
    entries = [
        Entry(
            number,
            _title(turn),
            f"#{turn.id}" if page and page.has(turn.id) else links.part(turn.id, turn.id),
        )
        for number, turn in enumerate(conversation.turns[:limit], start=1)
    ]
    return Contents(entries, len(conversation.turns))


def _title(turn: Turn) -> str:
    """What a person wrote, or what happened instead."""
    blocks = turn.steps[0].blocks
    texts = [block for block in blocks if isinstance(block, Text)]
    written = next((text.text for text in texts if not text.synthetic), None)
    notice = next((block.label for block in blocks if isinstance(block, Notice)), None)
    return (written or notice or "Added by OpenCode").strip().partition("\n")[0]
