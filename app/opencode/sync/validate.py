"""Validates the items of a sync before they are stored."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.lib.chunks import chunks
from app.opencode.encoding import JSON
from app.opencode.limits import MAX_CHILDREN, MAX_COMMAS, MAX_MESSAGES, MAX_PARTS, object_fields, objects
from app.opencode.model import NOTHING
from app.opencode.sync_items import (
    Batch,
    ChildSession,
    DeleteChildMessage,
    Deletion,
    Item,
    Message,
    Part,
    PutChild,
    PutChildMessage,
    PutMessage,
    Session,
)

# What an item of each type needs for its session to be read; one of an unknown type may be anything.
SHAPES: dict[str, type[msgspec.Struct]] = {
    "session": Session,
    "message": Message,
    "part": Part,
    "messages": Batch,
    "put_message": PutMessage,
    "delete_message": Deletion,
    "put_child": PutChild,
    "delete_child": Deletion,
    "put_child_session": ChildSession,
    "put_child_message": PutChildMessage,
    "delete_child_message": DeleteChildMessage,
}

# Levels of nesting that a document may add around the body of a sync before it is read again.
SPARE_LEVELS = 100


def validate_batch(data: Raw) -> list[Item]:
    """The items of a sync, a JSON list of `{type, data}`, as they came.

    Raises ValidationError, which names the item, when one lacks the fields of its key.
    """
    return [_validate(raw, number) for number, raw in enumerate(objects(data, MAX_PARTS))]


def validate_snapshot(document: JSON) -> None:
    """Raises ValidationError when a document, or a child in it, has too many fields to merge changes into."""
    fields = object_fields(document)
    for child in objects(fields.get("children", NOTHING), MAX_CHILDREN):
        object_fields(child)


def require_spare_levels(json: bytearray) -> None:
    """Raises RecursionError when JSON is nested so deeply that a document cannot be made of it."""
    # In place, because a second copy may have 100 MB.
    json[:0] = b"[" * SPARE_LEVELS
    json += b"]" * SPARE_LEVELS
    try:
        msgspec.json.decode(json, type=Raw)
    finally:
        del json[:SPARE_LEVELS], json[-SPARE_LEVELS:]


def _validate(raw: Raw, number: int) -> Item:
    try:
        item = msgspec.json.decode(raw, type=Item)
        if shape := SHAPES.get(item.type):
            data = msgspec.json.decode(item.data, type=shape)
            if isinstance(data, PutChild):
                object_fields(item.data)
            if isinstance(data, Batch | PutChild):
                objects(data.messages, MAX_MESSAGES)
            if isinstance(data, PutChildMessage):
                data = msgspec.json.decode(data.message, type=PutMessage)
            if isinstance(data, PutMessage) and not (data.info or data.id):
                raise msgspec.ValidationError("Object missing required field `id`")
        if _count_commas(item.data) > MAX_COMMAS:
            raise msgspec.ValidationError(f"Object with more than {MAX_COMMAS:,} fields")
        return item
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{error} in item {number} of `data`") from None


def _count_commas(json: Raw) -> int:
    """An upper bound of the fields that decoding puts into memory; 0 for what is too small to matter."""
    view = memoryview(json)
    return sum(chunk.count(b",") for chunk in chunks(view)) if len(view) > MAX_COMMAS else 0
