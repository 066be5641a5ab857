"""What a turn is called in a table of contents."""

from __future__ import annotations

from app.opencode.model import Notice, Text, Turn

MAX_TITLE = 200


def title_of(turn: Turn) -> str:
    """The first line of what a person wrote, or what happened instead."""
    blocks = turn.steps[0].blocks
    texts = [block for block in blocks if isinstance(block, Text)]
    written = next((text.text for text in texts if not text.synthetic), None)
    notice = next((block.label for block in blocks if isinstance(block, Notice)), None)
    return (written or notice or "Added by OpenCode").strip().partition("\n")[0][:MAX_TITLE]
