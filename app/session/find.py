"""Finds one block, or one attached file, of a conversation or of its children, by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.session.model import Block, Conversation, File, Tool

_FILE_ENDING = re.compile(r"-file\d+$")


def find_block(conversation: Conversation, block_id: str) -> Block | None:
    return next((block for block in _blocks(conversation, block_id) if block.id == block_id), None)


def find_file(conversation: Conversation, file_id: str) -> File | None:
    # The id of the call that gave it back is in the document, its own is not.
    for block in _blocks(conversation, _FILE_ENDING.sub("", file_id)):
        files = block.files if isinstance(block, Tool) else (block,)
        for file in files:
            if isinstance(file, File) and file.id == file_id:
                return file
    return None


def _blocks(conversation: Conversation, id: str) -> Iterator[Block]:
    """The blocks of the steps in which `id` occurs, or which may have made it up for a part without one."""
    needle = id.encode()
    for each in conversation.walk():
        for step in each.steps:
            if id.startswith(step.message_id) or any(needle in bytes(part) for part in step.parts):
                yield from step.blocks
