"""What the index of a document consists of, as MessagePack.

A page is what its messages and the state before it make of it. When a session changes, a page whose messages
and whose state before are as they were is kept as it is, without being decoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import add

import msgspec

from app.opencode.changes.totals import Totals
from app.opencode.fields import bounded
from app.opencode.model import Tokens
from app.opencode.paging.timeline import Timeline


class Prompt(msgspec.Struct, array_like=True, frozen=True):
    """A person's prompt, numbered from 1; `id` is that of its first step."""

    number: int
    id: str
    title: str


class ByteRange(msgspec.Struct, array_like=True, frozen=True):
    """A piece of the file of messages, and its checksum."""

    start: int
    size: int
    checksum: int


class TurnState(msgspec.Struct, array_like=True):
    """What a turn took so far; `tokens` are the fields of model.Tokens in order, times are epoch ms."""

    tokens: Sequence[int] = (0, 0, 0, 0, 0)
    cost: float = 0
    start: int | None = None
    end: int | None = None

    @property
    def milliseconds(self) -> int | None:
        return None if self.start is None or self.end is None else self.end - self.start


class State(msgspec.Struct, array_like=True):
    """What has been counted up to some step of a session.

    `cost`, `tokens` and `agent_milliseconds` are those of the turns before the last one, which is `turn`.
    `size` is the JSON of the messages in bytes. `author` is who made the last step, `told` has hashes of the
    failures in the turn, and `active_until` is when the agent did something last (epoch milliseconds).
    `is_recorded`: a message has recorded what its answers changed, and no other has begun a stretch since.
    """

    messages: int = 0
    parts: int = 0
    steps: int = 0
    turns: int = 0
    prompts: int = 0
    size: int = 0
    weight: int = 0
    cost: float = 0
    tokens: Sequence[int] = (0, 0, 0, 0, 0)
    agent_milliseconds: int = 0
    person_milliseconds: int = 0
    active_until: int = 0
    turn: TurnState = msgspec.field(default_factory=TurnState)
    author: tuple[str, str, str] = ("", "", "")
    told: Sequence[int] = ()
    is_undone: bool = False
    is_recorded: bool = False
    agent: str = ""
    models: Sequence[str] = ()


class MessageRecord(msgspec.Struct, array_like=True):
    """A message on a page: its JSON is at `place`.

    `number` is its place in the session from 0, `turn` the number of its turn from 1. `pieces` are the first
    and the last of its steps that are on the page. `totals` are those of the turn that ends with it, unless
    the page does. `at` is when it was made, in epoch milliseconds, or 0.
    """

    id: str
    number: int
    place: ByteRange
    at: int
    turn: int
    pieces: tuple[int, int]
    shows_author: bool
    is_undone: bool
    repeats_failure: bool = False
    totals: TurnState | None = None


class PageRecord(msgspec.Struct, array_like=True, frozen=True):
    """A page: the State before it, and lists of what is on it, each encoded by itself.

    `turn` is the number of its first turn, and `weight` the weight of its first step, or 0 if the message of
    that begins before. `messages` are MessageRecords,
    `steps` StepRecords, `prompts` Prompts, and `changes` ChangeRecords. `called` are the sessions that its
    calls lead to.
    """

    before: bytes
    turn: int
    weight: int
    step_count: int
    prompt_count: int
    messages: bytes
    steps: bytes
    prompts: bytes
    changes: bytes
    called: Sequence[str]


class SessionRecord(msgspec.Struct, array_like=True, frozen=True):
    """A session; `tokens` are the fields of model.Tokens in order, `after` is its last State.

    `fields` are those of its JSON apart from the messages and children, in order.
    """

    id: str
    title: str
    parent_id: str | None
    directory: str
    version: str
    created_at: int | None
    updated_at: int | None
    models: Sequence[str]
    agent: str
    cost: float
    tokens: Sequence[int]
    is_importable: bool
    changed: Totals
    timeline: Timeline
    uncalled: Sequence[str]
    diffs: ByteRange
    fields: Mapping[str, ByteRange]
    pages: Sequence[PageRecord]
    after: bytes


class IndexRecord(msgspec.Struct, array_like=True, frozen=True):
    """A session and its children. `is_extendable`: changes can be merged into it without reading the rest."""

    sessions: Sequence[SessionRecord]
    is_extendable: bool


encode = msgspec.msgpack.encode
decode_index = msgspec.msgpack.Decoder(IndexRecord).decode
decode_state = msgspec.msgpack.Decoder(State).decode
decode_messages = msgspec.msgpack.Decoder(list[MessageRecord]).decode
decode_prompts = msgspec.msgpack.Decoder(list[Prompt]).decode


def counts_of(tokens: Tokens) -> tuple[int, ...]:
    # Not `astuple`, which copies deeply and takes twenty times as long.
    return (tokens.input, tokens.output, tokens.reasoning, tokens.cache_read, tokens.cache_write)


def added(counts: Sequence[int], others: Sequence[int]) -> list[int]:
    return list(map(add, counts, others))


def bounded_all(counts: Sequence[int]) -> list[int]:
    return [bounded(count) for count in counts]


def records_of(pages: Iterable[PageRecord]) -> Iterator[MessageRecord]:
    """Every message on some pages that does not begin before them, once."""
    return (message for page in pages for message in decode_messages(page.messages) if message.pieces[0] == 0)


def with_id(pages: Sequence[PageRecord], id: str) -> Iterator[tuple[int, MessageRecord]]:
    """The records of a message, with the numbers of their pages from 0; other pages are not even decoded."""
    encoded = id.encode(errors="replace")
    for number, page in enumerate(pages):
        if id and encoded in page.messages:
            yield from ((number, record) for record in decode_messages(page.messages) if record.id == id)
