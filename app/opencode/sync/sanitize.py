"""Leaves out of the items of OpenCode's own protocol what is a provider's own, and may be secret.

As in the plugin (clean.ts), only the places where OpenCode keeps such fields are touched, never what a tool
was given or answered: a key called `state` or `metadata` there belongs to the person.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, is_json
from app.opencode.limits import MAX_COMMAS, MAX_PARTS, objects
from app.opencode.provider_data import OPAQUE, OPAQUE_IN_ERRORS, without_opaque

Cleaner = Callable[[Raw], Raw]

# In OpenCode 1 these parts keep the provider's blob in `metadata`; a tool's own is in `state.metadata`.
PROVIDER_METADATA = (b'"text"', b'"reasoning"', b'"tool"')
# The rest of a provider's record of a model has its address, its headers and its options, keys among them.
MODEL_FIELDS = frozenset(
    ("id", "providerID", "name", "family", "status", "release_date", "capabilities", "cost", "limit")
)


def cleaned(type: str, data: Raw) -> Raw:
    """The data of an item without what must not be stored; of an unknown type, wherever that stands.

    Raises ValidationError when it has so many fields that taking it apart would fill the memory.
    """
    if bytes(data).count(b",") > MAX_COMMAS:
        raise msgspec.ValidationError(f"Object with more than {MAX_COMMAS:,} fields")
    return CLEANERS.get(type, without_opaque)(data)


def _without(raw: Raw, keys: Collection[str], inside: Mapping[str, Cleaner]) -> Raw:
    """An object without `keys`, and what is `inside` cleaned in turn; anything but an object as it is."""
    fields = _fields(raw)
    if fields is None:
        return raw
    kept = {key: value for key, value in fields.items() if key not in keys}
    return _encoded({key: inside[key](value) if key in inside else value for key, value in kept.items()})


def _session(raw: Raw) -> Raw:
    # With its link, whoever imports a copy would take it for shared.
    return _without(raw, OPAQUE | {"share"}, {})


def _message(raw: Raw) -> Raw:
    return _without(raw, OPAQUE, ERRORS)


def _part(raw: Raw) -> Raw:
    type = (_fields(raw) or {}).get("type", ABSENT)
    is_provided = any(is_json(type, each) for each in PROVIDER_METADATA)
    return _without(raw, OPAQUE | {"metadata"} if is_provided else OPAQUE, ERRORS)


def _batch(raw: Raw) -> Raw:
    return _without(raw, (), {"messages": lambda messages: _each(messages, _message_2)})


def _message_2(raw: Raw) -> Raw:
    return _without(raw, OPAQUE, {**ERRORS, "content": lambda content: _each(content, _block)})


def _block(raw: Raw) -> Raw:
    """Of a block of OpenCode 2 only a tool's `state` is its own."""
    type = (_fields(raw) or {}).get("type", ABSENT)
    keys = OPAQUE if is_json(type, b'"tool"') else OPAQUE | {"state"}
    return _without(raw, keys, {**ERRORS, "provider": _details})


def _error(raw: Raw) -> Raw:
    return _without(raw, OPAQUE_IN_ERRORS, {"data": _details})


def _retry(raw: Raw) -> Raw:
    return _without(raw, OPAQUE, {"error": _error})


def _details(raw: Raw) -> Raw:
    return _without(raw, OPAQUE_IN_ERRORS, {})


def _model(raw: Raw) -> Raw:
    return _encoded({key: value for key, value in (_fields(raw) or {}).items() if key in MODEL_FIELDS})


def _each(raw: Raw, clean: Cleaner) -> Raw:
    """A list of objects, each of them cleaned; anything else as it is."""
    try:
        return _encoded([clean(item) for item in objects(raw, MAX_PARTS)])
    except msgspec.ValidationError:
        return raw


def _fields(raw: Raw) -> dict[str, Raw] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except msgspec.ValidationError:
        return None


def _encoded(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))


# An error stands in `error`, and in the `error` of a `retry`.
ERRORS: Mapping[str, Cleaner] = {"error": _error, "retry": _retry}
CLEANERS: dict[str, Cleaner] = {
    "session": _session,
    "message": _message,
    "part": _part,
    "messages": _batch,
    "session_diff": lambda raw: raw,
    "model": lambda raw: _each(raw, _model),
}
