"""Validates the items of a sync before they are stored."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, objects
from app.opencode.sync.sanitize import sanitize_item
from app.opencode.sync_items import Batch, Item, Message, Part, Session

# What an item of each type needs for its session to be read; one of an unknown type may be anything.
SHAPES: dict[str, type[msgspec.Struct]] = {
    "session": Session,
    "message": Message,
    "part": Part,
    "messages": Batch,
}

# Levels of nesting that the document adds around these items before msgspec reads it again.
SPARE_LEVELS = 100


def validate_batch(data: Raw) -> list[Item]:
    """The items of a sync, a JSON list of `{type, data}`, without provider data.

    Raises ValidationError, which names the item, when one lacks the fields of its key, and RecursionError
    when they are nested too deeply.
    """
    msgspec.json.decode(b"".join((b"[" * SPARE_LEVELS, memoryview(data), b"]" * SPARE_LEVELS)), type=Raw)
    return [_validate(raw, number) for number, raw in enumerate(objects(data, MAX_PARTS))]


def _validate(raw: Raw, number: int) -> Item:
    try:
        item = msgspec.json.decode(raw, type=Item)
        if shape := SHAPES.get(item.type):
            data = msgspec.json.decode(item.data, type=shape)
            if isinstance(data, Batch):
                objects(data.messages, MAX_MESSAGES)
        return Item(item.type, sanitize_item(item.type, item.data))
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{error} in item {number} of `data`") from None
