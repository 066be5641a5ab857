"""Finds a block or an attached file of a document by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from app.opencode.model import Block, File, Step, Tool
from app.opencode.paging.ids import IdIndex

_FILE_ENDING = re.compile(r"-file\d+$")


def find_block(ids: IdIndex, block_id: str) -> tuple[Block, Step] | None:
    """A block and the step that contains it."""
    return next((match for match in _blocks(ids, block_id) if match[0].id == block_id), None)


def find_file(ids: IdIndex, file_id: str) -> File | None:
    # For a file that a call returned, only the id of the call is in the document.
    in_document = dict.fromkeys((_FILE_ENDING.sub("", file_id), file_id))
    for block, _ in chain.from_iterable(_blocks(ids, id) for id in in_document):
        files = block.files if isinstance(block, Tool) else (block,)
        for file in files:
            if isinstance(file, File) and file.id == file_id:
                return file
    return None


def _blocks(ids: IdIndex, id: str) -> Iterator[tuple[Block, Step]]:
    for step in ids.steps_with(id):
        yield from ((block, step) for block in step.blocks)
