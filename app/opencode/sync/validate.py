"""Checks what OpenCode's own protocol sends to be stored, and leaves out what is not to be stored."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, objects
from app.opencode.reading.conversation import Session
from app.opencode.sync.sanitize import cleaned
from app.opencode.sync_items import Batch, Item, Message, Part

# What an item of each type must have for its session to be read; one of an unknown type may be anything.
SHAPES: dict[str, type[msgspec.Struct]] = {
    "session": Session,
    "message": Message,
    "part": Part,
    "messages": Batch,
}

# Their document is read further down the stack, where fewer levels are left.
SPARE_LEVELS = 100


def take_in(data: Raw) -> list[Item]:
    """The items of a sync, a list of `{type, data}`, without what must not be stored.

    Raises ValidationError, which names the item, when one lacks what its key is made of, and RecursionError
    when they are nested too deeply.
    """
    msgspec.json.decode(b"[" * SPARE_LEVELS + bytes(data) + b"]" * SPARE_LEVELS, type=Raw)
    return [_taken(raw, number) for number, raw in enumerate(objects(data, MAX_PARTS))]


def _taken(raw: Raw, number: int) -> Item:
    try:
        item = msgspec.json.decode(raw, type=Item)
        if shape := SHAPES.get(item.type):
            found = msgspec.json.decode(item.data, type=shape)
            if isinstance(found, Batch):
                objects(found.messages, MAX_MESSAGES)
        return Item(item.type, cleaned(item.type, item.data))
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{error} in item {number} of `data`") from None
