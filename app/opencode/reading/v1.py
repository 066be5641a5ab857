"""Messages of OpenCode 1.x: `{info, parts}` (types.gen.d.ts of @opencode-ai/sdk)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from app.opencode.fields import (
    ABSENT,
    decoder,
    lenient,
    model_name,
    read_failure,
    read_model,
    read_span,
    read_tokens,
)
from app.opencode.model import NOTHING, Role, Step
from app.opencode.reading.steps import IdAllocator, steps_of
from app.opencode.reading.v1_parts import read_part

TRUE = Raw(b"true")
# Parts that nobody but OpenCode puts into a message.
ADDED_PARTS = ("compaction", "snapshot", "step-start", "step-finish", "patch")


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
    info: Raw
    parts: list[Raw] = []


class _Summary(msgspec.Struct, frozen=True):
    diffs: Raw = NOTHING


class _Part(msgspec.Struct, frozen=True):
    type: str = ""
    synthetic: bool | None = None


_decode = msgspec.json.Decoder(_Message).decode
_decode_info = decoder(_Info)
_read_part = lenient(_Part)
_read_summary = lenient(_Summary)


def read_message(raw: Raw, ids: IdAllocator, index: int) -> list[Step]:
    """The steps of one message. Raises ValidationError if it is not of V1."""
    message = _decode(raw)
    info = _decode_info(message.info)
    id = ids.take(info.id, index)
    time = read_span(info.time)
    return steps_of(
        Step(
            id=id,
            message_id=id,
            role=_role(info.role, message.parts),
            parts=message.parts,
            read_part=lambda part, index: read_part(part, f"{id}-{index}"),
            at=time.at,
            agent=info.agent or info.mode or "",
            model=model_name(info.providerID or "", info.modelID or "") or read_model(info.model),
            failure=read_failure(info.error),
            is_summary=info.summary == TRUE,
            milliseconds=time.duration,
            finish=info.finish or "",
            cost=info.cost or 0,
            tokens=read_tokens(info.tokens),
            diffs=_read_summary(info.summary).diffs,
        )
    )


def _role(role: str, parts: Sequence[Raw]) -> Role:
    """Whose message it is: OpenCode continues a session with messages that say they are the user's."""
    if role != "user":
        return "assistant"
    # Without parts, it is a prompt whose parts have not come yet.
    return "opencode" if parts and all(map(_is_added, parts)) else "user"


def _is_added(raw: Raw) -> bool:
    """Whether OpenCode added a part to a message of the user."""
    part = _read_part(raw)
    return part.type in ADDED_PARTS or (part.type == "text" and bool(part.synthetic))
