"""Builds a conversation from a session and its messages, each of either generation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, decoder, is_absent, lenient, read_model, read_span, read_tokens
from app.opencode.model import Conversation, Step, Tokens, Turn
from app.opencode.reading import v1, v2
from app.opencode.reading.steps import IdAllocator, UniqueIds, unreadable
from app.opencode.titles import session_title


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


def read(session: Raw, messages: Sequence[Raw], ids: UniqueIds) -> Conversation:
    """The conversation; a message that cannot be read becomes a step that shows its JSON.

    Raises msgspec.ValidationError when `session` is no session, UnreadableDocument when there are too many
    messages or parts.
    """
    ids.messages.add(len(messages))
    head = _decode_session(session)
    turns = _turns(_messages(messages, ids), undone_from=_read_revert(head.revert).messageID)
    steps = [step for turn in turns for step in turn.steps]
    models = list(dict.fromkeys(step.model for step in steps if step.model))
    session_model, session_tokens = read_model(head.model), read_tokens(head.tokens)
    time = read_span(head.time)
    return Conversation(
        id=head.id,
        title=session_title(head.title or "", turns),
        parent_id=head.parentID,
        directory=_directory(head),
        version=head.version or "",
        created_at=time.at,
        updated_at=time.updated_at,
        models=models or ([session_model] if session_model else []),
        agent=head.agent or next((step.agent for step in steps if step.agent), ""),
        cost=head.cost or sum(turn.totals.cost for turn in turns),
        tokens=sum((turn.totals.tokens for turn in turns), Tokens())
        if session_tokens == Tokens()
        else session_tokens,
        turns=turns,
        is_importable=bool(messages) and is_absent(head.location),
    )


def read_head(session: Raw, messages: Sequence[Raw]) -> Conversation:
    """The conversation without its turns. Only as many messages are read as its title needs.

    Raises as `read`.
    """
    head = _decode_session(session)
    ids = UniqueIds()
    turns = (Turn(read_message(raw, ids, number)) for number, raw in enumerate(messages))
    return Conversation(id=head.id, title=session_title(head.title or "", turns), directory=_directory(head))


def read_message(raw: Raw, ids: IdAllocator, number: int) -> list[Step]:
    """The steps of one message; `ids` gives it an id, and `number` is its place in the session, from 0."""
    steps = _read_either_generation(raw, ids, number)
    for step in steps:
        step.message, step.number = raw, number
    return steps


def _tell_once(step: Step, told: set[tuple[bool, str]]) -> None:
    """Removes the failure of a message of OpenCode that adds nothing to those `told` in its turn."""
    if step.failure is None:
        return
    aborted, detail = step.failure.aborted, step.failure.detail.strip()
    if step.role == "opencode" and (aborted, detail) in told:
        step.failure, step.repeats_failure = None, True
    told |= {(aborted, detail), (aborted, "")}


def _directory(head: Session) -> str:
    return head.directory or _read_place(head.location).directory


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


def _turns(messages: Iterator[list[Step]], undone_from: str) -> list[Turn]:
    turns: list[Turn] = []
    is_undone = False
    told: set[tuple[bool, str]] = set()
    for steps in messages:
        is_undone = is_undone or steps[0].message_id == undone_from
        for step in steps:
            step.is_undone = is_undone
        if steps[0].role == "user" or not turns:
            turns.append(Turn(steps))
            told.clear()
        else:
            turns[-1].steps.extend(steps)
        _tell_once(steps[-1], told)
    return turns
