"""What OpenCode's own protocol sends: a list of `{type, data}`, of which the last of each key counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from msgspec import Raw

from app.session.errors import UnreadableDocument
from app.session.fields import ABSENT, is_absent, read_span
from app.session.limits import MAX_MESSAGES
from app.session.model import NOTHING


class _Item(msgspec.Struct, frozen=True):
    type: str
    data: Raw


class _Session(msgspec.Struct, frozen=True):
    id: str = ""
    # Only the sessions of V2 have one.
    location: Raw = ABSENT


class _Message(msgspec.Struct, frozen=True):
    id: str
    sessionID: str = ""  # noqa: N815 - names here and below are OpenCode's
    time: Raw = ABSENT


class _Part(msgspec.Struct, frozen=True):
    id: str
    messageID: str  # noqa: N815


class _Batch(msgspec.Struct, frozen=True):
    sessionID: str  # noqa: N815
    messages: list[Raw]


@dataclass
class _Merged:
    session: Raw | None = None
    diffs: Raw = field(default_factory=lambda: NOTHING)
    messages: dict[str, tuple[_Message, Raw]] = field(default_factory=dict)
    parts: dict[str, dict[str, Raw]] = field(default_factory=dict)
    batches: dict[str, Sequence[Raw]] = field(default_factory=dict)

    def add(self, item: _Item) -> None:
        """Raises ValidationError when the item is broken; one of an unknown type is passed over."""
        data = item.data
        match item.type:
            case "session":
                self.session = data
            case "message":
                message = msgspec.json.decode(data, type=_Message)
                self.messages[message.id] = (message, data)
            case "part":
                part = msgspec.json.decode(data, type=_Part)
                self.parts.setdefault(part.messageID, {})[part.id] = data
            case "messages":
                batch = msgspec.json.decode(data, type=_Batch)
                self.batches[batch.sessionID] = batch.messages
            case "session_diff":
                self.diffs = data


class Contents(NamedTuple):
    """A session and what belongs to it, as a document holds them: messages, changed files, sub-sessions."""

    session: Raw
    messages: Sequence[Raw]
    diffs: Raw = NOTHING
    children: Raw = NOTHING


def fold(items: Sequence[Raw]) -> Contents:
    """The items as one session. Raises UnreadableDocument when there is none among them."""
    merged = _Merged()
    for raw in items:
        try:
            merged.add(msgspec.json.decode(raw, type=_Item))
        except msgspec.ValidationError:
            continue
    if merged.session is None:
        raise UnreadableDocument("The document is not a session of OpenCode.")
    head = msgspec.json.decode(merged.session, type=_Session)
    batch = merged.batches.get(head.id)
    if batch is not None or not is_absent(head.location):
        return Contents(merged.session, batch or (), merged.diffs)
    return Contents(merged.session, _messages(merged, head.id), merged.diffs)


def _messages(merged: _Merged, session_id: str) -> list[Raw]:
    """Those of the session itself in the order of their times, each with its parts in that of their ids."""
    own = [entry for entry in merged.messages.values() if entry[0].sessionID in ("", session_id)]
    if len(own) > MAX_MESSAGES:
        raise UnreadableDocument(f"The session has more than {MAX_MESSAGES:,} messages.")
    own.sort(key=lambda entry: (_created(entry[0]), entry[0].id))
    return [_with_parts(info, merged.parts.get(message.id, {})) for message, info in own]


def _created(message: _Message) -> float:
    return read_span(message.time).created or 0


def _with_parts(info: Raw, parts: dict[str, Raw]) -> Raw:
    listed = b",".join(bytes(parts[id]) for id in sorted(parts))
    return Raw(b'{"info":%b,"parts":[%b]}' % (bytes(info), listed))
