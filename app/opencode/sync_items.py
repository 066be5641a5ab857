"""The items of a share, `{type, data}`, and how they merge: the last of each key wins.

The keys of OpenCode's own protocol are those of its share-next.ts: `session`, `message/<id>`,
`part/<messageID>/<id>`, `messages/<sessionID>`, `session_diff` and `model`. A key of `messages` carries all
messages of an OpenCode 2 session.

The plugin's changes are of the types `session`, `put_message` (`{info, parts}`, or a message of OpenCode 2),
`delete_message` (`{id}`), `put_child` (`{session, messages}`) and `delete_child` (`{id}`); and for what is in
a child `put_child_session` (the session), `put_child_message` (`{sessionID, message}`) and
`delete_child_message` (`{sessionID, id}`). What is put replaces what was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Raw

from app.opencode.child_changes import ChildChanges, id_of_message
from app.opencode.encoding import UnreadableDocument
from app.opencode.fields import ABSENT, is_absent, read_span
from app.opencode.json_pieces import PartlyEncoded
from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, objects
from app.opencode.model import NOTHING

# The types of the plugin's changes. Older servers lack some, and keep those as unknown items.
CHANGE_TYPES = (
    "session",
    "put_message",
    "delete_message",
    "put_child",
    "delete_child",
    "put_child_session",
    "put_child_message",
    "delete_child_message",
)
# How many items are kept that belong nowhere in a session.
MAX_OTHERS = 10_000

Id = Annotated[str, Meta(min_length=1)]


class Item(msgspec.Struct, frozen=True):
    type: Id
    data: Raw


class Session(msgspec.Struct, frozen=True):
    id: str = ""
    # Only sessions of V2 have one.
    location: Raw = ABSENT


class Message(msgspec.Struct, frozen=True):
    id: Id
    sessionID: str = ""  # noqa: N815 - names here and below are OpenCode's
    time: Raw = ABSENT


class Part(msgspec.Struct, frozen=True):
    id: Id
    messageID: Id  # noqa: N815
    sessionID: str = ""  # noqa: N815


class Batch(msgspec.Struct, frozen=True):
    sessionID: str  # noqa: N815
    messages: Raw


class PutMessage(msgspec.Struct, frozen=True):
    """A whole message: of V1 with `info`, of V2 with an `id` of its own."""

    info: Message | None = None
    id: str = ""


class ChildSession(msgspec.Struct, frozen=True):
    id: Id


class PutChild(msgspec.Struct, frozen=True):
    session: ChildSession
    messages: Raw


class PutChildMessage(msgspec.Struct, frozen=True):
    sessionID: Id  # noqa: N815
    message: Raw


class DeleteChildMessage(msgspec.Struct, frozen=True):
    sessionID: Id  # noqa: N815
    id: Id


class Deletion(msgspec.Struct, frozen=True):
    id: Id


class _StoredMessage(msgspec.Struct, frozen=True):
    info: Raw = ABSENT
    parts: Raw = NOTHING


class _Other(msgspec.Struct, frozen=True):
    id: str = ""


class Contents(NamedTuple):
    """The parts of a document: a session, its messages, changed files, sub-agents' sessions, and models."""

    session: Raw
    messages: Sequence[Raw]
    diffs: Raw = NOTHING
    children: Raw = NOTHING
    models: Raw = NOTHING


@dataclass
class Entry:
    """A message of V1: its info, and its parts as a JSON list; `created` in epoch milliseconds."""

    created: float
    info: Raw
    parts: Raw


@dataclass
class SyncState:
    """The session `id` as its items leave it; parts may come before their message.

    `batch` has the messages of V2 by id. `entries` has those of V1, and `new_parts` the parts that came after
    them, by message and part. `children` has what became of sub-agents' sessions. Items of other sessions,
    and of unknown types, are in `others` by their keys.
    """

    id: str
    session: Raw | None = None
    diffs: Raw = field(default_factory=lambda: NOTHING)
    models: Raw = field(default_factory=lambda: NOTHING)
    batch: dict[str, Raw] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    new_parts: dict[str, dict[str, Raw]] = field(default_factory=dict)
    children: ChildChanges = field(default_factory=ChildChanges)
    others: dict[str, Raw] = field(default_factory=dict)

    def add(self, raw: Raw) -> None:
        """Merges one item. Raises ValidationError when it is broken."""
        item = msgspec.json.decode(raw, type=Item)
        if not self._merge(item.type, item.data):
            self._add_other(item, raw)

    def add_message(self, info: Raw, parts: Raw = NOTHING) -> bool:
        """Merges a message; one that exists keeps its parts. Returns False if it is another session's."""
        if not self._is_own(msgspec.json.decode(info, type=Message).sessionID):
            return False
        self.keep_message(info, parts)
        return True

    def keep_message(self, info: Raw, parts: Raw) -> None:
        """Merges a message, whichever session it names. Raises ValidationError when it is broken."""
        message = msgspec.json.decode(info, type=Message)
        existing = self.entries.get(message.id)
        created = read_span(message.time).created or 0
        self.entries[message.id] = Entry(created, info, existing.parts if existing else parts)

    def _add_part(self, data: Raw) -> bool:
        part = msgspec.json.decode(data, type=Part)
        if not self._is_own(part.sessionID):
            return False
        self.new_parts.setdefault(part.messageID, {})[part.id] = data
        return True

    def _add_session(self, data: Raw) -> bool:
        if not self._is_own(msgspec.json.decode(data, type=Session).id):
            return False
        self.session = data
        return True

    def _add_batch(self, data: Raw) -> bool:
        batch = msgspec.json.decode(data, type=Batch)
        if not self._is_own(batch.sessionID):
            return False
        self.batch = by_id(msgspec.json.decode(batch.messages, type=list[Raw]))
        return True

    def _put_message(self, data: Raw) -> bool:
        message = msgspec.json.decode(data, type=PutMessage)
        if message.info is None:
            self.batch[message.id] = data
            return True
        stored = msgspec.json.decode(data, type=_StoredMessage)
        self._delete_message(message.info.id)
        self.keep_message(stored.info, stored.parts)
        return True

    def _put_child_message(self, data: Raw) -> bool:
        item = msgspec.json.decode(data, type=PutChildMessage)
        self.children.put_message(item.sessionID, id_of_message(item.message), item.message)
        return True

    def _delete_child_message(self, data: Raw) -> bool:
        item = msgspec.json.decode(data, type=DeleteChildMessage)
        self.children.put_message(item.sessionID, item.id, None)
        return True

    def _delete_message(self, id: str) -> None:
        self.batch.pop(id, None)
        self.entries.pop(id, None)
        self.new_parts.pop(id, None)

    def messages(self) -> list[Raw]:
        """The messages of V1 in the order of their times, each with its parts in the order of their ids."""
        return [Raw(b"".join(pieces)) for pieces in self.pieces_of_messages()]

    def pieces_of_messages(self) -> list[list[memoryview]]:
        """The messages as pieces of JSON, none of which is copied. Raises UnreadableDocument."""
        if len(self.entries) > MAX_MESSAGES:
            raise UnreadableDocument(f"The session has more than {MAX_MESSAGES:,} messages.")
        ordered = sorted(self.entries.items(), key=lambda entry: (entry[1].created, entry[0]))
        return [_with_parts(entry, self.new_parts.get(id, {})) for id, entry in ordered]

    def orphans(self) -> Iterator[PartlyEncoded]:
        """The parts whose message has not come, as items."""
        for message_id, parts in self.new_parts.items():
            if message_id not in self.entries:
                yield from ({"type": "part", "data": part} for part in parts.values())

    def _merge(self, type: str, data: Raw) -> bool:
        """Merges the data of an item; False when it belongs to another session, or its type is unknown."""
        match type:
            case "session":
                return self._add_session(data)
            case "message":
                return self.add_message(data)
            case "part":
                return self._add_part(data)
            case "messages":
                return self._add_batch(data)
            case "session_diff":
                self.diffs = data
                return True
            case "model":
                self.models = data
                return True
            case "put_message":
                return self._put_message(data)
            case "delete_message":
                self._delete_message(msgspec.json.decode(data, type=Deletion).id)
                return True
            case "put_child":
                self.children.put(msgspec.json.decode(data, type=PutChild).session.id, data)
                return True
            case "delete_child":
                self.children.put(msgspec.json.decode(data, type=Deletion).id, None)
                return True
            case "put_child_session":
                self.children.put_session(msgspec.json.decode(data, type=ChildSession).id, data)
                return True
            case "put_child_message":
                return self._put_child_message(data)
            case "delete_child_message":
                return self._delete_child_message(data)
        return False

    def _is_own(self, session_id: str) -> bool:
        return session_id in ("", self.id)

    def _add_other(self, item: Item, raw: Raw) -> None:
        key = f"{item.type}/{_id_of(item.data)}"
        self.others.pop(key, None)
        self.others[key] = raw
        if len(self.others) > MAX_OTHERS:
            self.others.pop(next(iter(self.others)))


def merge_items(items: Sequence[Raw]) -> Contents:
    """The items as the parts of one document. Raises UnreadableDocument when no session is among them."""
    session = _last_session(items)
    head = msgspec.json.decode(session, type=Session)
    state = SyncState(head.id)
    for raw in items:
        try:
            state.add(raw)
        except msgspec.ValidationError:
            continue
    is_v2 = state.batch or not is_absent(head.location)
    messages = [*state.batch.values()] if is_v2 else state.messages()
    return Contents(session, messages, state.diffs, models=state.models)


def by_id(messages: Sequence[Raw]) -> dict[str, Raw]:
    """Messages of V2 by their ids; one without an id, or with that of another, has its place instead."""
    found: dict[str, Raw] = {}
    for place, message in enumerate(messages):
        id = _id_of(message)
        found[f"#{place}" if id in found or not id else id] = message
    return found


def _id_of(json: Raw) -> str:
    try:
        return msgspec.json.decode(json, type=_Other).id
    except msgspec.ValidationError:
        return ""


def _last_session(items: Sequence[Raw]) -> Raw:
    for raw in reversed(items):
        try:
            item = msgspec.json.decode(raw, type=Item)
        except msgspec.ValidationError:
            continue
        if item.type == "session":
            return item.data
    raise UnreadableDocument("The document is not a session of OpenCode.")


def _with_parts(entry: Entry, new_parts: dict[str, Raw]) -> list[memoryview]:
    if not new_parts:
        return _pieces(b'{"info":', entry.info, b',"parts":', entry.parts, b"}")
    parts = {msgspec.json.decode(part, type=Part).id: part for part in objects(entry.parts, MAX_PARTS)}
    parts |= new_parts
    ordered = [piece for id in sorted(parts) for piece in (b",", parts[id])][1:]
    return _pieces(b'{"info":', entry.info, b',"parts":[', *ordered, b"]}")


def _pieces(*pieces: bytes | Raw) -> list[memoryview]:
    return [memoryview(piece) for piece in pieces]
