"""What OpenCode's own protocol sends: lists of `{type, data}`, of which the last of each key counts.

The keys are OpenCode's own: `session`, `message/<id>`, `part/<messageID>/<id>`, `messages/<sessionID>`,
`session_diff` and `model`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Raw

from app.opencode.errors import UnreadableDocument
from app.opencode.fields import ABSENT, is_absent, read_span
from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, objects
from app.opencode.model import NOTHING

# Of what has no place in a session, as many are kept.
MAX_OTHERS = 10_000

Id = Annotated[str, Meta(min_length=1)]


class Item(msgspec.Struct, frozen=True):
    type: Id
    data: Raw


class Session(msgspec.Struct, frozen=True):
    id: str = ""
    # Only the sessions of V2 have one.
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


class _Other(msgspec.Struct, frozen=True):
    id: str = ""


class Contents(NamedTuple):
    """A session and what belongs to it, as a document holds them.

    That is messages, changed files, sub-sessions, and the models that were used.
    """

    session: Raw
    messages: Sequence[Raw]
    diffs: Raw = NOTHING
    children: Raw = NOTHING
    models: Raw = NOTHING


@dataclass
class Entry:
    """A message of V1: what is known of it, and its parts as a JSON list."""

    created: float
    info: Raw
    parts: Raw


@dataclass
class Merged:
    """What the items of the session `id` say in the end; parts may come before their message.

    `batch` has the messages of V2, `later` the parts that are newer than those in `entries`, by message. What
    belongs to another session, and what nobody knows, is kept in `others` by its key.
    """

    id: str
    session: Raw | None = None
    diffs: Raw = field(default_factory=lambda: NOTHING)
    models: Raw = field(default_factory=lambda: NOTHING)
    batch: Sequence[Raw] = ()
    entries: dict[str, Entry] = field(default_factory=dict)
    later: dict[str, dict[str, Raw]] = field(default_factory=dict)
    others: dict[str, Raw] = field(default_factory=dict)

    def add(self, raw: Raw) -> None:
        """Raises ValidationError when the item is broken."""
        item = msgspec.json.decode(raw, type=Item)
        place = PLACES.get(item.type)
        if place is None or not place(self, item.data):
            self._add_other(item, raw)

    def add_message(self, info: Raw, parts: Raw = NOTHING) -> bool:
        """Takes a message of this session; one that is known keeps its parts."""
        message = msgspec.json.decode(info, type=Message)
        if not self._is_own(message.sessionID):
            return False
        known = self.entries.get(message.id)
        created = read_span(message.time).created or 0
        self.entries[message.id] = Entry(created, info, known.parts if known else parts)
        return True

    def add_part(self, data: Raw) -> bool:
        part = msgspec.json.decode(data, type=Part)
        if not self._is_own(part.sessionID):
            return False
        self.later.setdefault(part.messageID, {})[part.id] = data
        return True

    def add_session(self, data: Raw) -> bool:
        if not self._is_own(msgspec.json.decode(data, type=Session).id):
            return False
        self.session = data
        return True

    def add_batch(self, data: Raw) -> bool:
        batch = msgspec.json.decode(data, type=Batch)
        if not self._is_own(batch.sessionID):
            return False
        self.batch = msgspec.json.decode(batch.messages, type=list[Raw])
        return True

    def add_diffs(self, data: Raw) -> bool:
        self.diffs = data
        return True

    def add_models(self, data: Raw) -> bool:
        self.models = data
        return True

    def messages(self) -> list[Raw]:
        """Those of V1 in the order of their times, each with its parts in that of their ids."""
        if len(self.entries) > MAX_MESSAGES:
            raise UnreadableDocument(f"The session has more than {MAX_MESSAGES:,} messages.")
        ordered = sorted(self.entries.items(), key=lambda entry: (entry[1].created, entry[0]))
        return [_with_parts(entry, self.later.get(id, {})) for id, entry in ordered]

    def orphans(self) -> Iterator[Raw]:
        """The parts whose message has not come."""
        for message_id, parts in self.later.items():
            if message_id not in self.entries:
                yield from (encoded("part", part) for part in parts.values())

    def _is_own(self, session_id: str) -> bool:
        return session_id in ("", self.id)

    def _add_other(self, item: Item, raw: Raw) -> None:
        try:
            id = msgspec.json.decode(item.data, type=_Other).id
        except msgspec.ValidationError:
            id = ""
        key = f"{item.type}/{id}"
        self.others.pop(key, None)
        self.others[key] = raw
        if len(self.others) > MAX_OTHERS:
            self.others.pop(next(iter(self.others)))


# What takes the data of an item; False when it is another session's.
PLACES: dict[str, Callable[[Merged, Raw], bool]] = {
    "session": Merged.add_session,
    "message": Merged.add_message,
    "part": Merged.add_part,
    "messages": Merged.add_batch,
    "session_diff": Merged.add_diffs,
    "model": Merged.add_models,
}


def fold(items: Sequence[Raw]) -> Contents:
    """The items as one session. Raises UnreadableDocument when there is none among them."""
    session = _last_session(items)
    head = msgspec.json.decode(session, type=Session)
    merged = Merged(head.id)
    for raw in items:
        try:
            merged.add(raw)
        except msgspec.ValidationError:
            continue
    if merged.batch or not is_absent(head.location):
        return Contents(session, merged.batch, merged.diffs, models=merged.models)
    return Contents(session, merged.messages(), merged.diffs, models=merged.models)


def encoded(type: str, data: Raw) -> Raw:
    return Raw(msgspec.json.encode({"type": type, "data": data}))


def _last_session(items: Sequence[Raw]) -> Raw:
    for raw in reversed(items):
        try:
            item = msgspec.json.decode(raw, type=Item)
        except msgspec.ValidationError:
            continue
        if item.type == "session":
            return item.data
    raise UnreadableDocument("The document is not a session of OpenCode.")


def _with_parts(entry: Entry, later: dict[str, Raw]) -> Raw:
    if not later:
        return Raw(b'{"info":%b,"parts":%b}' % (bytes(entry.info), bytes(entry.parts)))
    parts = {msgspec.json.decode(part, type=Part).id: part for part in objects(entry.parts, MAX_PARTS)}
    parts |= later
    listed = b",".join(bytes(parts[id]) for id in sorted(parts))
    return Raw(b'{"info":%b,"parts":[%b]}' % (bytes(entry.info), listed))
