"""What a link says of its session before anybody opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.opencode import Chapter
from app.render.filters import plural
from app.services.container import parts

UNTITLED = "A shared OpenCode session"
MAX_TITLE = 200


@dataclass(frozen=True)
class Preview:
    title: str
    facts: Sequence[str]

    @property
    def description(self) -> str:
        return " · ".join(self.facts)


def preview_of(chapter: Chapter) -> Preview:
    """Title, model and counts; no more than counts where the operator keeps titles out of previews."""
    conversation = chapter.conversation
    facts = [plural(chapter.message_count, "message")]
    if chapter.changed.files:
        facts.append(f"{plural(chapter.changed.files, 'file')} changed")
    if not parts().config.PREVIEW_TITLES:
        return Preview(UNTITLED, facts)
    models = [model.rpartition("/")[2] for model in conversation.models[:1]]
    named = [name for name in (conversation.project, *models) if name]
    return Preview((conversation.title or UNTITLED)[:MAX_TITLE], [*named, *facts])
