"""What lists of shares say about a session: its title, and the project that it worked on."""

from __future__ import annotations

from typing import NamedTuple

from app.opencode.model import Conversation

# Of each text, in a row of the database.
MAX_CHARACTERS = 200


class Description(NamedTuple):
    """Texts for a database; an empty one where the session has none."""

    title: str
    project: str


def description_of(conversation: Conversation) -> Description:
    """The title as the page shows it, and the name of the folder; the turns are not read for them."""
    return Description(_text(conversation.title), _text(conversation.project))


def _text(text: str) -> str:
    # PostgreSQL stores no NUL.
    return text[:MAX_CHARACTERS].replace("\0", "\ufffd")
