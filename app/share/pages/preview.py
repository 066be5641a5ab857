"""What link previews say about a session: title, model and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.opencode import IndexedSession
from app.render.filters import plural
from app.services.container import services

UNTITLED = "A shared OpenCode session"
MAX_TITLE = 200


@dataclass(frozen=True)
class Preview:
    title: str
    facts: Sequence[str]

    @property
    def description(self) -> str:
        return " · ".join(self.facts)


def preview_of(session: IndexedSession) -> Preview:
    """The preview of a session; only counts where the operator keeps titles out of previews."""
    conversation = session.conversation
    facts = [plural(session.message_count, "message")]
    if session.changed.files:
        facts.append(f"{plural(session.changed.files, 'file')} changed")
    if not services().config.PREVIEW_TITLES:
        return Preview(UNTITLED, facts)
    models = [model.rpartition("/")[2] for model in conversation.models[:1]]
    named = [name for name in (conversation.project, *models) if name]
    return Preview((conversation.title or UNTITLED)[:MAX_TITLE], [*named, *facts])
