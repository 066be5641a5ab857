"""The outermost JSON of a document, in each of its four forms: checks its counts and has it read.

`{session, messages, children?, diffs?, models?}` as it is uploaded or merged, `{info, messages}` as OpenCode
exports it, with messages of either generation, or the list of `{type, data}` that its own protocol sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Raw

from app.opencode.encoding import JSON, decodable
from app.opencode.errors import UnreadableDocument
from app.opencode.limits import MAX_CHILDREN, check_counts, objects
from app.opencode.model import NOTHING, Conversation
from app.opencode.reading import conversation
from app.opencode.reading.models import name_models
from app.opencode.reading.steps import Ids
from app.opencode.sync_items import Contents, fold


class _Envelope(msgspec.Struct, frozen=True):
    messages: list[Raw]
    session: Raw = Raw(b"")
    info: Raw = Raw(b"")
    children: Raw = NOTHING
    diffs: Raw = NOTHING
    models: Raw = NOTHING


class _Child(msgspec.Struct, frozen=True):
    session: Raw
    messages: list[Raw]


def read_conversation(document: JSON) -> Conversation:
    """The conversation in a document of JSON. Raises UnreadableDocument with the reason."""
    with refusals():
        found = opened(document)
        ids = Ids()
        read = conversation.read(found.session, found.messages, ids)
        read.diffs = found.diffs
        read.children = _children(found.children, read.id, ids)
        for each in read.walk():
            name_models(each, found.models)
        return read


@contextmanager
def refusals() -> Iterator[None]:
    """What decoding a document raises becomes UnreadableDocument with the reason."""
    try:
        yield
    except RecursionError:
        raise UnreadableDocument("The document is nested too deeply.") from None
    except msgspec.ValidationError:
        raise UnreadableDocument("The document is not a session of OpenCode.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnreadableDocument("The document is not valid JSON; it may have been cut short.") from None


def opened(document: JSON) -> Contents:
    """What a document holds, whichever its form. Raises as `refusals` expects it."""
    document = decodable(document)
    check_counts(document)
    envelope = msgspec.json.decode(document, type=_Envelope | list[Raw])
    if isinstance(envelope, list):
        return fold(envelope)
    session = envelope.session or envelope.info
    if not session:
        raise msgspec.ValidationError("there is no session")
    return Contents(session, envelope.messages, envelope.diffs, envelope.children, envelope.models)


def _children(field: Raw, parent_id: str, ids: Ids) -> dict[str, Conversation]:
    """The sessions that tasks started, by id; a broken one is left out, as one that was never stored."""
    children: dict[str, Conversation] = {}
    try:
        encoded = objects(field, MAX_CHILDREN)
    except msgspec.ValidationError:
        return {}
    for raw in encoded:
        try:
            stored = msgspec.json.decode(raw, type=_Child)
            child = conversation.read(stored.session, stored.messages, ids)
        except msgspec.ValidationError:
            continue
        if child.id not in ("", parent_id):
            children.setdefault(child.id, child)
    return children
