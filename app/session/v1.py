"""Sessions of OpenCode 1.x: messages of `{info, parts}` (types.gen.d.ts of @opencode-ai/sdk)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Raw

from app.session.model import Conversation, Failure, Step, Tokens, Turn, Unknown
from app.session.v1_parts import read_part, safe_id

# A longer message is cut into several steps, so that none costs a page much.
STEP_BYTES = 64 * 1024


class _Cache(msgspec.Struct, frozen=True):
    read: int = 0
    write: int = 0


class _Tokens(msgspec.Struct, frozen=True):
    input: int = 0
    output: int = 0
    reasoning: int = 0
    cache: _Cache = _Cache()


class _Time(msgspec.Struct, frozen=True):
    created: float | None = None
    updated: float | None = None


class _Model(msgspec.Struct, frozen=True):
    providerID: str = ""  # noqa: N815 - names here and below are OpenCode's
    modelID: str = ""  # noqa: N815


class _Revert(msgspec.Struct, frozen=True):
    messageID: str = ""  # noqa: N815


class _Session(msgspec.Struct, frozen=True):
    id: str = ""
    title: str = ""
    directory: str = ""
    version: str = ""
    time: _Time = _Time()
    cost: float | None = None
    tokens: _Tokens | None = None
    revert: _Revert | None = None


class _ErrorData(msgspec.Struct, frozen=True):
    message: str = ""


class _Error(msgspec.Struct, frozen=True):
    name: str = "UnknownError"
    data: _ErrorData = _ErrorData()


class _Info(msgspec.Struct, frozen=True):
    id: str
    role: str
    time: _Time = _Time()
    agent: str = ""
    mode: str = ""
    providerID: str = ""  # noqa: N815
    modelID: str = ""  # noqa: N815
    model: _Model = _Model()
    error: _Error | None = None
    # A flag on an answer that sums up a compacted session; on a prompt it holds the files changed.
    summary: Raw = Raw(b"false")
    cost: float = 0
    tokens: _Tokens = _Tokens()


class _Message(msgspec.Struct, frozen=True):
    info: _Info
    parts: list[Raw] = []


_decode_message = msgspec.json.Decoder(_Message).decode


def read(session: Raw, messages: Sequence[Raw]) -> Conversation:
    """A conversation of V1 `messages`; one that cannot be read becomes a step that shows its JSON.

    Raises msgspec.ValidationError when `session` is no session.
    """
    head = msgspec.json.decode(session, type=_Session)
    conversation = Conversation(
        id=head.id,
        title=head.title,
        directory=head.directory,
        version=head.version,
        created_at=_milliseconds(head.time.created),
        updated_at=_milliseconds(head.time.updated),
    )
    turns: list[Turn] = []
    infos: list[_Info] = []
    undone_from = head.revert.messageID if head.revert else None
    is_undone = False
    for index, raw in enumerate(messages):
        try:
            message = _decode_message(raw)
        except msgspec.ValidationError:
            _add(turns, [_unreadable(raw, index)], starts_turn=False)
            continue
        infos.append(message.info)
        is_undone = is_undone or message.info.id == undone_from
        steps = list(_steps(message, safe_id(message.info.id, f"message-{index}"), is_undone))
        _add(turns, steps, starts_turn=message.info.role == "user")
    conversation.turns = turns
    conversation.models = list(dict.fromkeys(model for info in infos if (model := _model(info))))
    conversation.cost = head.cost if head.cost is not None else sum(info.cost for info in infos)
    conversation.tokens = _total([head.tokens] if head.tokens else [info.tokens for info in infos])
    return conversation


def _add(turns: list[Turn], steps: list[Step], *, starts_turn: bool) -> None:
    if starts_turn or not turns:
        turns.append(Turn(steps))
    else:
        turns[-1].steps.extend(steps)


def _steps(message: _Message, id: str, is_undone: bool) -> Iterator[Step]:
    info = message.info
    pieces = list(_pieces(message.parts))
    for number, (first_part, parts) in enumerate(pieces):
        is_last = number == len(pieces) - 1
        yield Step(
            id=id if number == 0 else f"{id}.{number}",
            message_id=id,
            role="user" if info.role == "user" else "assistant",
            parts=parts,
            first_part=first_part,
            read_part=lambda part, index: read_part(part, f"{id}-{index}"),
            at=_milliseconds(info.time.created),
            agent=info.agent or info.mode,
            model=_model(info),
            failure=_failure(info.error) if is_last else None,
            is_summary=bytes(info.summary) == b"true",
            is_undone=is_undone,
        )


def _pieces(parts: Sequence[Raw]) -> Iterator[tuple[int, Sequence[Raw]]]:
    """Cuts the parts of one message into runs of about STEP_BYTES, each with the index of its first part."""
    start = size = 0
    for index, part in enumerate(parts):
        length = len(memoryview(part))
        if size and size + length > STEP_BYTES:
            yield start, parts[start:index]
            start, size = index, 0
        size += length
    yield start, parts[start:]


def _unreadable(raw: Raw, index: int) -> Step:
    block = Unknown(id=f"message-{index}", label="message", json=raw)
    return Step(
        id=block.id,
        message_id=block.id,
        role="unknown",
        parts=[raw],
        read_part=lambda _part, _index: block,
    )


def _model(info: _Info) -> str:
    provider, model = info.providerID or info.model.providerID, info.modelID or info.model.modelID
    return f"{provider}/{model}" if provider and model else model


def _failure(error: _Error | None) -> Failure | None:
    """The provider's response headers and body, which may hold keys, are left behind here."""
    if error is None:
        return None
    return Failure(error.name, error.data.message or error.name, aborted=error.name == "MessageAbortedError")


def _total(counts: Sequence[_Tokens]) -> Tokens:
    return Tokens(
        input=sum(count.input for count in counts),
        output=sum(count.output for count in counts),
        reasoning=sum(count.reasoning for count in counts),
        cache_read=sum(count.cache.read for count in counts),
        cache_write=sum(count.cache.write for count in counts),
    )


def _milliseconds(time: float | None) -> int | None:
    return None if time is None else int(time)
