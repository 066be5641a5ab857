"""Builds a conversation from a session and its messages, each of either generation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import NamedTuple

import msgspec
from msgspec import Raw
from xxhash import xxh3_64_intdigest

from app.opencode.fields import ABSENT, decoder, is_absent, lenient, read_model, read_span, read_tokens
from app.opencode.model import Conversation, Step, Tokens, Turn
from app.opencode.reading import v1, v2
from app.opencode.reading.steps import IdAllocator, UniqueIds, unreadable
from app.opencode.titles import prompt_title, session_title

# How many failures of a turn are remembered, so that they are not told twice.
MAX_TOLD = 100


class _Place(msgspec.Struct, frozen=True):
    directory: str = ""


class _Revert(msgspec.Struct, frozen=True):
    messageID: str = ""  # noqa: N815 - names here and below are OpenCode's


class Session(msgspec.Struct, frozen=True):
    """V1 has `directory` and `version`, V2 a `location`; a V2 session may have no title."""

    id: str = ""
    title: str | None = None
    parentID: str | None = None  # noqa: N815
    directory: str | None = None
    location: Raw = ABSENT
    version: str | None = None
    time: Raw = ABSENT
    agent: str | None = None
    model: Raw = ABSENT
    cost: float | None = None
    tokens: Raw = ABSENT
    revert: Raw = ABSENT


_decode_session = decoder(Session)
_read_place = lenient(_Place)
_read_revert = lenient(_Revert)


class Summary(NamedTuple):
    """What the messages of a session say about it: costs and tokens are sums."""

    has_messages: bool
    prompt_titles: Iterable[str | None] = ()
    models: Sequence[str] = ()
    agent: str = ""
    cost: float = 0
    tokens: Tokens = Tokens()


def read(session: Raw, messages: Sequence[Raw], ids: UniqueIds) -> Conversation:
    """The conversation; a message that cannot be read becomes a step that shows its JSON.

    Raises msgspec.ValidationError when `session` is no session, UnreadableDocument when there are too many
    messages or parts.
    """
    ids.messages.add(len(messages))
    turns = _turns(_messages(messages, ids), undone_from(session))
    steps = [step for turn in turns for step in turn.steps]
    summary = Summary(
        bool(messages),
        map(prompt_title, turns),
        list(dict.fromkeys(step.model for step in steps if step.model)),
        next((step.agent for step in steps if step.agent), ""),
        # Not `sum`, which rounds in another way than adding one after another.
        reduce(add, (turn.totals.cost for turn in turns), 0.0),
        reduce(add, (turn.totals.tokens for turn in turns), Tokens()),
    )
    return read_session(session, summary, turns)


def read_head(session: Raw, messages: Sequence[Raw]) -> Conversation:
    """The conversation without its turns. Only as many messages are read as its title needs.

    Raises as `read`.
    """
    ids = UniqueIds()
    turns = (Turn(read_message(raw, ids, number)) for number, raw in enumerate(messages))
    return read_session(session, Summary(bool(messages), map(prompt_title, turns)))


def read_session(session: Raw, summary: Summary, turns: Sequence[Turn] = ()) -> Conversation:
    """The conversation of a session and what its messages say; what the session says itself comes first.

    Raises msgspec.ValidationError when it is no session.
    """
    head = _decode_session(session)
    session_model, session_tokens = read_model(head.model), read_tokens(head.tokens)
    time = read_span(head.time)
    return Conversation(
        id=head.id,
        title=session_title(head.title or "", summary.prompt_titles),
        parent_id=head.parentID,
        directory=_directory(head),
        version=head.version or "",
        created_at=time.at,
        updated_at=time.updated_at,
        models=summary.models or ([session_model] if session_model else []),
        agent=head.agent or summary.agent,
        cost=head.cost or summary.cost,
        tokens=summary.tokens if session_tokens == Tokens() else session_tokens,
        turns=turns,
        is_importable=summary.has_messages and is_absent(head.location),
    )


def id_of(session: Raw) -> str:
    """The id of a session. Raises msgspec.ValidationError."""
    return _decode_session(session).id


def directory_of(session: Raw) -> str:
    """The folder that a session ran in. Raises msgspec.ValidationError."""
    return _directory(_decode_session(session))


def undone_from(session: Raw) -> str:
    """The id of the first message that was undone; empty if none was. Raises msgspec.ValidationError."""
    return _read_revert(_decode_session(session).revert).messageID


def read_message(raw: Raw, ids: IdAllocator, number: int) -> list[Step]:
    """The steps of one message; `ids` gives it an id, and `number` is its place in the session, from 0."""
    steps = _read_either_generation(raw, ids, number)
    for step in steps:
        step.message, step.number = raw, number
    return steps


def _directory(head: Session) -> str:
    return head.directory or _read_place(head.location).directory


def tell_once(step: Step, told: Sequence[int]) -> Sequence[int]:
    """Removes the failure of a message of OpenCode that adds nothing to those `told` in its turn.

    Returns hashes of those that are told by then, the last MAX_TOLD.
    """
    if step.failure is None:
        return told
    full, short = (
        xxh3_64_intdigest(repr((step.failure.aborted, detail)).encode(errors="replace"))
        for detail in (step.failure.detail.strip(), "")
    )
    if step.role == "opencode" and full in told:
        step.failure, step.repeats_failure = None, True
    return list(dict.fromkeys((*told, full, short)))[-MAX_TOLD:]


def _read_either_generation(raw: Raw, ids: IdAllocator, number: int) -> list[Step]:
    """V1 first; a document may mix both, and only trying tells which one a message is of."""
    for read in (v1.read_message, v2.read_message):
        try:
            return read(raw, ids, number)
        except msgspec.ValidationError:
            continue
    return [unreadable(raw, ids.take("", number))]


def _messages(messages: Sequence[Raw], ids: UniqueIds) -> Iterator[list[Step]]:
    for number, raw in enumerate(messages):
        steps = read_message(raw, ids, number)
        ids.parts.add(sum(len(step.parts) for step in steps))
        yield steps


def _turns(messages: Iterator[list[Step]], first_undone: str) -> list[Turn]:
    turns: list[Turn] = []
    is_undone = False
    told: Sequence[int] = ()
    for steps in messages:
        is_undone = is_undone or steps[0].message_id == first_undone
        for step in steps:
            step.is_undone = is_undone
        if steps[0].role == "user" or not turns:
            turns.append(Turn(steps))
            told = ()
        else:
            turns[-1].steps.extend(steps)
        told = tell_once(steps[-1], told)
    return turns
