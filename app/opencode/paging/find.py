"""Finds one block, or one attached file, of a document by its id."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from app.opencode.model import Block, File, Step, Tool
from app.opencode.paging.index_reader import Index

_FILE_ENDING = re.compile(r"-file\d+$")


def find_block(index: Index, block_id: str) -> tuple[Block, Step] | None:
    """A block and the step in which it stands."""
    return next((found for found in _blocks(index, block_id) if found[0].id == block_id), None)


def find_file(index: Index, file_id: str) -> File | None:
    # Of a file that a call gave back only the id of the call is in the document.
    in_document = dict.fromkeys((_FILE_ENDING.sub("", file_id), file_id))
    for block, _ in chain.from_iterable(_blocks(index, id) for id in in_document):
        files = block.files if isinstance(block, Tool) else (block,)
        for file in files:
            if isinstance(file, File) and file.id == file_id:
                return file
    return None


def _blocks(index: Index, id: str) -> Iterator[tuple[Block, Step]]:
    for step in index.steps_with(id):
        yield from ((block, step) for block in step.blocks)
