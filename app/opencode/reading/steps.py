"""Cuts messages into steps, and gives them ids that are unique within a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from msgspec import Raw

from app.opencode.fields import safe_id
from app.opencode.limits import MAX_MESSAGES, MAX_PARTS, Counter
from app.opencode.model import MAX_PART_BYTES, MIN_WEIGHT, NOTHING, Block, ReadPart, Step, Tokens, Unknown
from app.opencode.provider_data import without_provider_data

# How much of a part is shown that has more than MAX_PART_BYTES.
BEGINNING_BYTES = 32 * 1024
# A longer message is cut into several steps, so that none costs a page much.
STEP_BYTES = 64 * 1024


class IdAllocator(Protocol):
    """Gives messages the ids that pages use for them."""

    def take(self, id: str, index: int) -> str:
        """The id for the message at `index`, which has `id` in its document."""


class UniqueIds:
    """Unique ids for the messages of one document; counts messages and parts against their limits.

    `are_own`: all of them are those that the document has.
    """

    def __init__(self) -> None:
        self.are_own = True
        self.messages = Counter(MAX_MESSAGES, "messages")
        self.parts = Counter(MAX_PARTS, "parts")
        self._taken: dict[str, int] = {}

    def take(self, id: str, index: int) -> str:
        """`id`, or one like it if that is taken or cannot be part of a URL."""
        base = free = safe_id(id, f"message-{index}")
        while free in self._taken:
            self._taken[base] += 1
            free = f"{base}.again{self._taken[base]}"
        self._taken[free] = 1
        self.are_own &= free == id
        return free


class FixedId:
    """Gives a message the id that it got when the whole document was read; `own` is that in its JSON."""

    def __init__(self, id: str) -> None:
        self.own = ""
        self._id = id

    def take(self, id: str, _index: int) -> str:
        self.own = id
        return self._id


def steps_of(message: Step) -> list[Step]:
    """The message cut into steps of about STEP_BYTES; its outcome belongs to the last."""
    message.read_part = _bounded(message.read_part, message.id)
    pieces = list(_pieces(message.parts))
    if len(pieces) == 1:
        return [message]
    steps = [
        replace(
            message,
            id=f"{message.id}.{number}" if number else message.id,
            parts=parts,
            first_part=first_part,
            piece=number,
            is_whole=False,
            failure=None,
            finish="",
            milliseconds=None,
            cost=0,
            tokens=Tokens(),
            diffs=NOTHING if number else message.diffs,
        )
        for number, (first_part, parts) in enumerate(pieces)
    ]
    last = steps[-1]
    last.failure, last.finish, last.milliseconds = message.failure, message.finish, message.milliseconds
    last.cost, last.tokens = message.cost, message.tokens
    return steps


def _pieces(parts: Sequence[Raw]) -> Iterator[tuple[int, Sequence[Raw]]]:
    """Cuts the parts of one message into runs of about STEP_BYTES, each with the index of its first part."""
    start = size = 0
    for index, part in enumerate(parts):
        length = max(MIN_WEIGHT, len(memoryview(part)))
        if size and size + length > STEP_BYTES:
            yield start, parts[start:index]
            start, size = index, 0
        size += length
    yield start, parts[start:]


def _bounded(read_part: ReadPart, message_id: str) -> ReadPart:
    """Reads of a part that is too large only its beginning, as a block of JSON."""

    def read(part: Raw, index: int) -> Block | None:
        json = memoryview(part)
        if len(json) <= MAX_PART_BYTES:
            return read_part(part, index)
        beginning = Raw(bytes(json[:BEGINNING_BYTES]))
        label = f"{len(json) / 1e6:,.0f} MB"
        return Unknown(id=f"{message_id}-{index}", label=label, json=beginning, is_too_large=True)

    return read


def unreadable(message: Raw, id: str) -> Step:
    """A step that shows the JSON of a message which no reader knows."""
    read_part = _bounded(_unknown(f"{id}-0"), id)
    return Step(id=id, message_id=id, role="unknown", parts=[message], read_part=read_part)


def _unknown(id: str) -> ReadPart:
    return lambda part, _index: Unknown(id=id, label="message", json=without_provider_data(part))
