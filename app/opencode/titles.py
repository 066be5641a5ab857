"""Names for prompts and for sessions that have none of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.opencode.model import Block, File, Notice, Text, Turn

MAX_PROMPT_TITLE = 200
MAX_SESSION_TITLE = 80
# What people attach to a prompt, or what stands for it.
PROMPTING_NOTICES = ("agent", "skill", "subtask")

# OpenCode's titles for sessions that it has not named yet.
_DEFAULT_TITLE = re.compile(r"(?:New|Child) session - \d{4}-\d\d-\d\dT[\d:.]+Z?")


def prompt_title(turn: Turn) -> str | None:
    """The first line of a person's prompt, or the name of its first attachment; None without a prompt."""
    first = turn.steps[0]
    if first.role != "user":
        return None
    # A long message is several steps, of which the first may hold only what OpenCode added.
    # Not `step.blocks`, which would keep the texts of all prompts in memory.
    blocks = [
        block
        for step in turn.steps
        if step.message_id == first.message_id
        for index, part in enumerate(step.parts, start=step.first_part)
        if (block := step.read_part(part, index))
    ]
    # What was written says more than what is attached.
    blocks.sort(key=lambda block: not isinstance(block, Text))
    return next(filter(None, map(_name, blocks)), "Empty prompt")


def session_title(own_title: str, prompt_titles: Iterable[str | None]) -> str:
    """The title of a session; of one that has only OpenCode's default title, its first prompt.

    No title of a prompt after that is asked for.
    """
    title = own_title.strip()
    if title and not _DEFAULT_TITLE.fullmatch(title):
        return own_title
    return shortened(next(filter(None, prompt_titles), ""), MAX_SESSION_TITLE)


def shortened(text: str, length: int) -> str:
    """`text` with at most `length` characters before an ellipsis, cut between words where it has any."""
    if len(text) <= length:
        return text
    head, space, _ = text[: length + 1].rpartition(" ")
    is_word_cut = not space or len(head) < length // 2
    return (text[:length] if is_word_cut else head).rstrip(" ,.;:") + "…"


def _name(block: Block) -> str:
    if isinstance(block, Text):
        return "" if block.synthetic else block.text.strip().partition("\n")[0].strip()[:MAX_PROMPT_TITLE]
    if isinstance(block, File):
        return block.label[:MAX_PROMPT_TITLE]
    if isinstance(block, Notice) and block.kind in PROMPTING_NOTICES:
        return block.label[:MAX_PROMPT_TITLE]
    return ""
