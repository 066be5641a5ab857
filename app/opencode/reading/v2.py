"""Messages of OpenCode 2: one flat list, distinguished by `type`.

Reads both variants: the fields of session-message.ts (packages/schema) and, where they differ, those of
@opencode-ai/sdk 1.19.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec import Raw

from app.opencode.fields import (
    ABSENT,
    is_absent,
    read_amount,
    read_failure,
    read_model,
    read_span,
    read_text,
    read_tokens,
)
from app.opencode.limits import MAX_PARTS
from app.opencode.model import Failure, Role, Step
from app.opencode.reading import v2_events, v2_parts
from app.opencode.reading.steps import IdAllocator, steps_of


class Piece(NamedTuple):
    """A part of a message and its reader; its id is that of the message with its index, or with `name`."""

    json: Raw
    read: v2_parts.Reader
    name: str = ""


class _Message(msgspec.Struct, frozen=True):
    """The fields of prompts and answers; v2_events reads what is between them."""

    type: str
    id: Raw = ABSENT
    time: Raw = ABSENT
    text: Raw = ABSENT
    files: Raw = ABSENT
    agents: Raw = ABSENT
    skills: Raw = ABSENT
    content: Raw = ABSENT
    snapshot: Raw = ABSENT
    retry: Raw = ABSENT
    agent: Raw = ABSENT
    model: Raw = ABSENT
    error: Raw = ABSENT
    finish: Raw = ABSENT
    outcome: Raw = ABSENT
    cost: Raw = ABSENT
    tokens: Raw = ABSENT


_decode = msgspec.json.Decoder(_Message).decode


def read_message(raw: Raw, ids: IdAllocator, index: int) -> list[Step]:
    """The steps of one message. Raises ValidationError if it is not of V2."""
    message = _decode(raw)
    id = ids.take(read_text(message.id), index)
    parts = PIECES[message.type](message) if message.type in PIECES else _event(message.type, raw)
    # One more than a whole document may have is enough for it to be refused.
    pieces = list(islice(parts, MAX_PARTS + 1))
    is_answer = message.type == "assistant"
    time = read_span(message.time)
    return steps_of(
        Step(
            id=id,
            message_id=id,
            role=_role(message.type),
            parts=[piece.json for piece in pieces],
            read_part=lambda part, index: pieces[index].read(part, f"{id}-{pieces[index].name or index}"),
            at=time.at,
            agent=read_text(message.agent) if is_answer else "",
            model=read_model(message.model) if is_answer else "",
            failure=_failure(message),
            milliseconds=time.duration,
            finish=read_text(message.finish),
            cost=read_amount(message.cost),
            tokens=read_tokens(message.tokens),
        )
    )


def _role(type: str) -> Role:
    if type in PIECES:
        return "user" if type == "user" else "assistant"
    return "opencode" if type in v2_events.READERS else "unknown"


def _failure(message: _Message) -> Failure | None:
    if message.type not in FAILING:
        return None
    return read_failure(message.error) or OUTCOMES.get(read_text(message.outcome))


def _prompt(message: _Message) -> Iterator[Piece]:
    yield Piece(message.text, v2_parts.read_prompt)
    yield from _each(message.files, "files", v2_parts.read_file)
    yield from _each(message.agents, "agents", v2_parts.read_agent)
    yield from _each(message.skills, "skills", v2_parts.read_skill)


def _answer(message: _Message) -> Iterator[Piece]:
    try:
        content = [] if is_absent(message.content) else msgspec.json.decode(message.content, type=list[Raw])
        yield from (Piece(item, v2_parts.read_content) for item in content)
    except msgspec.ValidationError:
        yield _unknown(message.content, "content")
    if not is_absent(message.snapshot):
        yield Piece(message.snapshot, v2_parts.read_snapshot, "files")
    if not is_absent(message.retry):
        yield Piece(message.retry, v2_parts.read_retry, "retry")


def _event(type: str, raw: Raw) -> Iterator[Piece]:
    read = v2_events.READERS.get(type)
    yield Piece(raw, read) if read else _unknown(raw, type)


# Messages whose error is that of their step, and what an `idle` message without one ends with.
FAILING = ("assistant", "compaction", "idle")
OUTCOMES = {
    "failed": Failure("Failed", "Failed"),
    "interrupted": Failure("Interrupted", "Interrupted", aborted=True),
}
PIECES: dict[str, Callable[[_Message], Iterator[Piece]]] = {"user": _prompt, "assistant": _answer}


def _each(field: Raw, label: str, read: v2_parts.Reader) -> Iterator[Piece]:
    """The items of a list; a field that is no list, or far too long, stays JSON."""
    try:
        yield from (Piece(item, read) for item in v2_parts.listed(field))
    except msgspec.ValidationError:
        yield _unknown(field, label)


def _unknown(json: Raw, label: str) -> Piece:
    return Piece(json, lambda part, id: v2_parts.unknown(part, id, label))
