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

from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from app.opencode.fields import ABSENT

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
