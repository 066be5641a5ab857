"""What the items of a share make of its session, one after another; the last of each key wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from app.opencode.child_changes import ChildChanges, id_of_message
from app.opencode.encoding import UnreadableDocument
from app.opencode.fields import bounded, read_span
from app.opencode.json_pieces import PartlyEncoded
from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, objects
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

# How many items are kept that belong nowhere in a session.
MAX_OTHERS = 10_000


class StoredMessage(msgspec.Struct, frozen=True):
    """A message of V1 in a document; anything else, as one of V2 with a `type`, is kept as it came."""

    info: Raw
    type: None = None
    parts: Raw = NOTHING


class _Put(msgspec.Struct, frozen=True):
    info: Raw
    parts: Raw = NOTHING


class _Other(msgspec.Struct, frozen=True):
    id: str = ""


@dataclass
class Entry:
    """A message of V1: its info, and its parts as a JSON list; `created` in epoch milliseconds.

    `whole` is its JSON, where it has one already.
    """

    created: int
    info: Raw
    parts: Raw
    whole: Raw | None = None


@dataclass
class SyncState:
    """The session `id` as its items leave it; parts may come before their message.

    `batch` has the messages of V2 by id. `entries` has those of V1, and `new_parts` the parts that came after
    them, by message and part. `children` has what became of sub-agents' sessions. Items of other sessions,
    and of unknown types, are in `others` by their keys. `deleted` are the messages that were, and `added` the
    new ones of OpenCode's own items.

    What is merged into a document need not have its messages: `read_stored` reads one by its id.
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
    deleted: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    read_stored: Callable[[str], Raw | None] = lambda _id: None

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
        id = msgspec.json.decode(info, type=Message).id
        existing = self.entry(id)
        if existing is None:
            self.added.add(id)
        self._put_entry(info, existing.parts if existing else parts)

    def put_stored(self, message: Raw) -> None:
        """Adds a message as a document has it. Raises ValidationError unless it is of V1."""
        stored = msgspec.json.decode(message, type=StoredMessage)
        self._put_entry(stored.info, stored.parts, message)

    def entry(self, id: str) -> Entry | None:
        """A message of V1; one of the document is read for that."""
        if id not in self.entries and id not in self.deleted and (stored := self.read_stored(id)):
            try:
                self.put_stored(stored)
            except msgspec.ValidationError:
                return None
        return self.entries.get(id)

    def _put_entry(self, info: Raw, parts: Raw, whole: Raw | None = None) -> None:
        message = msgspec.json.decode(info, type=Message)
        created = bounded(read_span(message.time).at or 0)
        self.entries[message.id] = Entry(created, info, parts, whole)

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
        stored = msgspec.json.decode(data, type=_Put)
        self._drop(message.info.id)
        self._put_entry(stored.info, stored.parts)
        return True

    def _put_child_message(self, data: Raw) -> bool:
        item = msgspec.json.decode(data, type=PutChildMessage)
        self.children.put_message(item.sessionID, id_of_message(item.message), item.message)
        return True

    def _delete_child_message(self, data: Raw) -> bool:
        item = msgspec.json.decode(data, type=DeleteChildMessage)
        self.children.put_message(item.sessionID, item.id, None)
        return True

    def delete_message(self, id: str) -> None:
        self._drop(id)
        self.deleted.add(id)

    def _drop(self, id: str) -> None:
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
        return [self._pieces_of(id, entry) for id, entry in ordered]

    def changed_entries(self) -> Iterator[tuple[str, Raw]]:
        """The messages of V1 that were put, or of which a part was, by their ids."""
        for id in (*self.entries, *self.new_parts):
            if entry := self.entry(id):
                yield id, Raw(b"".join(self._pieces_of(id, entry)))

    def _pieces_of(self, id: str, entry: Entry) -> list[memoryview]:
        return _with_parts(entry, self.new_parts.get(id, {}))

    def orphans(self) -> Iterator[PartlyEncoded]:
        """The parts whose message has not come, as items."""
        for message_id, parts in self.new_parts.items():
            if self.entry(message_id) is None:
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
                self.delete_message(msgspec.json.decode(data, type=Deletion).id)
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


def _with_parts(entry: Entry, new_parts: dict[str, Raw]) -> list[memoryview]:
    if entry.whole is not None and not new_parts:
        return _pieces(entry.whole)
    if not new_parts:
        return _pieces(b'{"info":', entry.info, b',"parts":', entry.parts, b"}")
    parts = {msgspec.json.decode(part, type=Part).id: part for part in objects(entry.parts, MAX_PARTS)}
    parts |= new_parts
    ordered = [piece for id in sorted(parts) for piece in (b",", parts[id])][1:]
    return _pieces(b'{"info":', entry.info, b',"parts":[', *ordered, b"]}")


def _pieces(*pieces: bytes | Raw) -> list[memoryview]:
    return [memoryview(piece) for piece in pieces]
