"""Messages of OpenCode 1.x: `{info, parts}` (types.gen.d.ts of @opencode-ai/sdk)."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.fields import (
    ABSENT,
    is_json,
    lenient,
    model_name,
    read_failure,
    read_model,
    read_span,
    read_tokens,
)
from app.opencode.model import NOTHING, Step
from app.opencode.reading.steps import IdAllocator, steps_of
from app.opencode.reading.v1_parts import read_part


class _Info(msgspec.Struct, frozen=True):
    id: str
    role: str
    time: Raw = ABSENT
    agent: str | None = None
    mode: str | None = None
    providerID: str | None = None  # noqa: N815 - names here are OpenCode's
    modelID: str | None = None  # noqa: N815
    model: Raw = ABSENT
    error: Raw = ABSENT
    # On an answer, a flag: it sums up a compacted session. On a prompt, an object with the files changed.
    summary: Raw = ABSENT
    finish: str | None = None
    cost: float | None = None
    tokens: Raw = ABSENT


class _Message(msgspec.Struct, frozen=True):
    info: _Info
    parts: list[Raw] = []


class _Summary(msgspec.Struct, frozen=True):
    diffs: Raw = NOTHING


_decode = msgspec.json.Decoder(_Message).decode
_read_summary = lenient(_Summary)


def read_message(raw: Raw, ids: IdAllocator, index: int) -> list[Step]:
    """The steps of one message. Raises ValidationError if it is not of V1."""
    message = _decode(raw)
    info = message.info
    id = ids.take(info.id, index)
    time = read_span(info.time)
    return steps_of(
        Step(
            id=id,
            message_id=id,
            role="user" if info.role == "user" else "assistant",
            parts=message.parts,
            read_part=lambda part, index: read_part(part, f"{id}-{index}"),
            at=time.at,
            agent=info.agent or info.mode or "",
            model=model_name(info.providerID or "", info.modelID or "") or read_model(info.model),
            failure=read_failure(info.error),
            is_summary=is_json(info.summary, b"true"),
            milliseconds=time.duration,
            finish=info.finish or "",
            cost=info.cost or 0,
            tokens=read_tokens(info.tokens),
            diffs=_read_summary(info.summary).diffs,
        )
    )
