"""Removes provider data, which may be secret, from the items of a sync.

As in the plugin (sanitize.ts), only the places where OpenCode keeps such fields are touched, never the input
or the output of a tool: a key called `state` or `metadata` there belongs to the user.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT
from app.opencode.json_pieces import PartlyEncoded, json_pieces
from app.opencode.limits import MAX_PARTS, objects
from app.opencode.provider_data import PROVIDER_DATA, PROVIDER_DATA_IN_ERRORS, without_provider_data
from app.opencode.sync_items import Item

Sanitizer = Callable[[Raw], PartlyEncoded]

# Parts of OpenCode 1 that have provider data in `metadata`; a tool's own metadata is in `state.metadata`.
TOOL = Raw(b'"tool"')
PROVIDER_METADATA = (Raw(b'"text"'), Raw(b'"reasoning"'), TOOL)
# The rest of a model's record has the provider's address, headers and options, keys among them.
MODEL_FIELDS = frozenset(
    ("id", "providerID", "name", "family", "status", "release_date", "capabilities", "cost", "limit")
)


def sanitize_item(item: Item) -> Iterable[bytes | memoryview]:
    """An item as JSON, in pieces, without provider data; in an unknown type, that is removed anywhere."""
    data = SANITIZERS.get(item.type, without_provider_data)(item.data)
    return json_pieces({"type": item.type, "data": data}, len(memoryview(item.data)))


def _without(raw: Raw, keys: Collection[str], inside: Mapping[str, Sanitizer]) -> PartlyEncoded:
    """An object without `keys`, its fields `inside` sanitized in turn; anything but an object as it is."""
    fields = _fields(raw)
    if fields is None:
        return raw
    if not any(key in keys or key in inside for key in fields):
        return raw
    return {
        key: inside[key](value) if key in inside else value
        for key, value in fields.items()
        if key not in keys
    }


def _session(raw: Raw) -> PartlyEncoded:
    # With the link, an imported copy would count as shared.
    return _without(raw, PROVIDER_DATA | {"share"}, {})


def _message(raw: Raw) -> PartlyEncoded:
    return _without(raw, PROVIDER_DATA, ERRORS)


def _part(raw: Raw) -> PartlyEncoded:
    type = (_fields(raw) or {}).get("type", ABSENT)
    keys = PROVIDER_DATA | {"metadata"} if type in PROVIDER_METADATA else PROVIDER_DATA
    return _without(raw, keys, ERRORS)


def _batch(raw: Raw) -> PartlyEncoded:
    return _without(raw, (), {"messages": lambda messages: _each(messages, _message_2)})


def _put_message(raw: Raw) -> PartlyEncoded:
    if "info" not in (_fields(raw) or {}):
        return _message_2(raw)
    return _without(raw, PROVIDER_DATA, {"info": _message, "parts": lambda parts: _each(parts, _part)})


def _put_child(raw: Raw) -> PartlyEncoded:
    return _without(
        raw, (), {"session": _session, "messages": lambda messages: _each(messages, _put_message)}
    )


def _put_child_message(raw: Raw) -> PartlyEncoded:
    return _without(raw, (), {"message": _put_message})


def _message_2(raw: Raw) -> PartlyEncoded:
    return _without(raw, PROVIDER_DATA, {**ERRORS, "content": lambda content: _each(content, _block)})


def _block(raw: Raw) -> PartlyEncoded:
    """Of a block of OpenCode 2 only a tool's `state` is its own."""
    type = (_fields(raw) or {}).get("type", ABSENT)
    keys = PROVIDER_DATA if type == TOOL else PROVIDER_DATA | {"state"}
    return _without(raw, keys, {**ERRORS, "provider": _details})


def _error(raw: Raw) -> PartlyEncoded:
    return _without(raw, PROVIDER_DATA_IN_ERRORS, {"data": _details})


def _retry(raw: Raw) -> PartlyEncoded:
    return _without(raw, PROVIDER_DATA, {"error": _error})


def _details(raw: Raw) -> PartlyEncoded:
    return _without(raw, PROVIDER_DATA_IN_ERRORS, {})


def _model(raw: Raw) -> PartlyEncoded:
    return {key: value for key, value in (_fields(raw) or {}).items() if key in MODEL_FIELDS}


def _each(raw: Raw, sanitize: Sanitizer) -> PartlyEncoded:
    """A list of objects, each of them sanitized; anything else as it is."""
    try:
        return [sanitize(item) for item in objects(raw, MAX_PARTS)]
    except msgspec.ValidationError:
        return raw


def _fields(raw: Raw) -> dict[str, Raw] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.ValidationError:
        return None


# Errors are in `error`, and in the `error` of a `retry`.
ERRORS: Mapping[str, Sanitizer] = {"error": _error, "retry": _retry}
SANITIZERS: dict[str, Sanitizer] = {
    "session": _session,
    "message": _message,
    "part": _part,
    "messages": _batch,
    "session_diff": lambda raw: raw,
    "model": lambda raw: _each(raw, _model),
    "put_message": _put_message,
    "put_child": _put_child,
    "put_child_session": _session,
    "put_child_message": _put_child_message,
}
