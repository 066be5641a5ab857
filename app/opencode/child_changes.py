"""What becomes of sub-agents' sessions in a document: each is put or deleted whole, or changed in parts."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from app.opencode.json_pieces import encode_pieces
from app.opencode.limits import MAX_CHILDREN, MAX_MESSAGES, Counter, object_fields, objects
from app.opencode.overlay import Overlay


class _Named(msgspec.Struct, frozen=True):
    id: str = ""


class _Message(msgspec.Struct, frozen=True):
    """A message of V1 has its id in `info`."""

    info: _Named | None = None
    id: str = ""


class _Child(msgspec.Struct, frozen=True):
    session: _Named


@dataclass
class ChildChanges:
    """Changes by the ids of children: `whole` has those that were put or deleted.

    `sessions` and `messages`, by the ids of the messages, have what was put into them since.
    """

    whole: Overlay[Raw] = field(default_factory=Overlay)
    sessions: dict[str, Raw] = field(default_factory=dict)
    messages: dict[str, Overlay[Raw]] = field(default_factory=dict)

    def put(self, id: str, child: Raw | None) -> None:
        """Replaces a child, or deletes it (None)."""
        self.whole.put_or_delete(id, child)
        self.sessions.pop(id, None)
        self.messages.pop(id, None)

    def put_session(self, id: str, session: Raw) -> None:
        """Replaces the session of a child, which keeps its messages."""
        self.sessions[id] = session

    def put_message(self, id: str, message_id: str, message: Raw | None) -> None:
        """Adds or replaces a message of a child, or deletes it (None)."""
        self.messages.setdefault(id, Overlay()).put_or_delete(message_id, message)

    def __bool__(self) -> bool:
        return bool(self.whole or self.sessions or self.messages)

    def applied_to(self, stored: Raw) -> list[Raw]:
        """The children of a document with the changes. Raises UnreadableDocument when there are too many.

        What changes in a child that is not there is dropped.
        """
        before = {
            msgspec.json.decode(child, type=_Child).session.id: child
            for child in objects(stored, MAX_CHILDREN)
        }
        children = [self.merged(id, child) for id, child in self.whole.applied_to(before).items()]
        Counter(MAX_CHILDREN, "sub-sessions").add(len(children))
        return children

    def merged(self, id: str, child: Raw) -> Raw:
        """A child with what changed in it."""
        session, changed = self.sessions.get(id), self.messages.get(id)
        if session is None and not changed:
            return child
        stored = object_fields(child)
        fields: dict[str, object] = {**stored}
        if session is not None:
            fields["session"] = session
        messages = {
            id_of_message(message) or f"#{place}": message
            for place, message in enumerate(objects(stored["messages"], MAX_MESSAGES))
        }
        fields["messages"] = list((changed or Overlay()).applied_to(messages).values())
        return Raw(b"".join(encode_pieces(fields)))


def id_of_message(message: Raw) -> str:
    """The id of a message of either generation; empty if it has none. Raises ValidationError."""
    decoded = msgspec.json.decode(message, type=_Message)
    return decoded.info.id if decoded.info else decoded.id
