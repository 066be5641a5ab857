"""What a page shows: a conversation of turns, cut into steps, made of blocks.

Readers of every format create these, and every renderer takes them. Times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import add
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Raw

NOTHING = Raw(b"[]")
# What a step and each of its parts weigh at least, and a part at most: a page shows only an excerpt of a long
# one, and half of its JSON is a repetition.
MIN_WEIGHT = 160
MAX_PART_WEIGHT = 16 * 1024
# A text in memory may have four times the bytes of its JSON, so larger parts are not read.
MAX_PART_BYTES = 16 * 1024 * 1024
# Longer URLs are not linked, only named; the header of a data: URL is within as much.
MAX_URL_CHARACTERS = 2_000

Status = Literal["pending", "running", "completed", "error"]
# What OpenCode itself records in a conversation is neither a prompt nor an answer.
Role = Literal["user", "assistant", "opencode", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Text:
    """What somebody wrote. `synthetic`: OpenCode added it; `ignored`: the model never saw it."""

    id: str
    text: str
    synthetic: bool = False
    ignored: bool = False


@dataclass(frozen=True, kw_only=True)
class Reasoning:
    id: str
    text: str
    milliseconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class File:
    """An attachment; `url` may be a data: URL with the contents, or only say where they are."""

    id: str
    url: str
    mime: str
    name: str

    @property
    def label(self) -> str:
        """Its name; without one, the last segment of its URL."""
        return self.name or _last_segment(self.url) or "file"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One call of a tool; `output` is what it returned, `error` why it failed.

    `input` and `metadata` are JSON objects as received, whose fields depend on the tool. `cleared`: OpenCode
    has removed the output from the model's context. `child_id` is the session of the sub-agent it started.
    """

    id: str
    name: str
    status: Status
    input: Raw
    metadata: Raw
    title: str = ""
    output: str = ""
    error: str = ""
    milliseconds: int | None = None
    cleared: bool = False
    files: Sequence[File] = ()
    child_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One line about what happened around the conversation, with `detail` to unfold where there is more."""

    id: str
    kind: Literal["patch", "agent", "retry", "compaction", "subtask", "switch", "skill", "system", "idle"]
    label: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Anything that no reader knows, as the JSON that was received; `label` names its type.

    Of a part that `is_too_large`, `json` is the beginning, and `label` its size.
    """

    id: str
    label: str
    json: Raw
    is_too_large: bool = False


Block = Text | Reasoning | File | Tool | Notice | Unknown


def _last_segment(url: str) -> str:
    if url.startswith("data:") or len(url) > MAX_URL_CHARACTERS:
        return ""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def file_id(block_id: str, number: int) -> str:
    """The id of a file that a call returned; its own, if it has one, may not be unique."""
    return f"{block_id}-file{number}"


def _renamed(block: Block, id: str) -> Block:
    if not isinstance(block, Tool):
        return replace(block, id=id)
    files = [replace(file, id=file_id(id, number)) for number, file in enumerate(block.files)]
    return replace(block, id=id, files=files)


@dataclass(frozen=True)
class Failure:
    """Why an answer ended early; `aborted` when a person stopped it."""

    name: str
    text: str
    aborted: bool = False

    @property
    def label(self) -> str:
        return "Aborted" if self.aborted else self.name

    @property
    def detail(self) -> str:
        """What the text says beyond the label."""
        labels = (self.label.casefold(), self.name.casefold())
        return "" if self.text.strip(" .").casefold() in labels else self.text


class Tokens(msgspec.Struct, frozen=True):
    input: int = 0
    output: int = 0
    reasoning: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def all_input(self) -> int:
        """What the model was given, whether its provider had it cached or not."""
        return self.input + self.cache_read + self.cache_write

    @property
    def cached_percent(self) -> int:
        """How much of the input was read from the cache."""
        return round(100 * self.cache_read / self.all_input) if self.all_input > 0 else 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )


ReadPart = Callable[[Raw, int], Block | None]


@dataclass(kw_only=True)
class Step:
    """One message, or a piece of a very long one. Not OpenCode's `step-start` and `step-finish`.

    `parts` are JSON, read into blocks on demand by `read_part(part, index)`; `first_part` is the index of the
    first one in its message. `message` is the JSON of the whole message, and `number` its place in the
    session, from 0. Of a message in several pieces, the outcome (`failure`, `finish`, `milliseconds`, `cost`,
    `tokens`) belongs to the last piece; `diffs`, the files that the answers to a prompt changed, as a JSON
    list, to the first. One that `repeats_failure` of a step before in its turn has none of its own.
    """

    id: str
    message_id: str
    role: Role
    parts: Sequence[Raw]
    read_part: ReadPart
    first_part: int = 0
    piece: int = 0
    is_whole: bool = True
    message: Raw = field(default_factory=lambda: NOTHING)
    number: int = 0
    at: int | None = None
    agent: str = ""
    model: str = ""
    failure: Failure | None = None
    repeats_failure: bool = False
    is_summary: bool = False
    is_undone: bool = False
    milliseconds: int | None = None
    finish: str = ""
    cost: float = 0
    tokens: Tokens = field(default_factory=Tokens)
    diffs: Raw = field(default_factory=lambda: NOTHING)

    @cached_property
    def blocks(self) -> list[Block]:
        """The parts as blocks; one whose id is taken in this step gets another."""
        blocks: dict[str, Block] = {}
        for index, part in enumerate(self.parts, start=self.first_part):
            block = self.read_part(part, index)
            if block is None:
                continue
            other_id = f"{self.message_id}-{index}"
            while block.id in blocks:
                other_id += ".again"
                block = _renamed(block, other_id)
            blocks[block.id] = block
        return list(blocks.values())

    @cached_property
    def weight(self) -> int:
        """What it costs to show the step, as bytes of JSON."""
        weight = MIN_WEIGHT
        for part in self.parts:
            weight += max(MIN_WEIGHT, min(len(memoryview(part)), MAX_PART_WEIGHT))
        return weight


@dataclass(frozen=True)
class TurnTotals:
    """What a turn took: tokens, dollars, and milliseconds from its prompt to its last answer."""

    tokens: Tokens = field(default_factory=Tokens)
    cost: float = 0
    milliseconds: int | None = None


@dataclass
class Turn:
    """A person's prompt and everything that answers it; a conversation may also begin without a prompt."""

    steps: list[Step]

    @property
    def id(self) -> str:
        return self.steps[0].id

    @cached_property
    def totals(self) -> TurnTotals:
        """The totals of all steps; only to be asked for when they are there."""
        ends = [step.at + (step.milliseconds or 0) for step in self.steps if step.at is not None]
        return TurnTotals(
            tokens=sum((step.tokens for step in self.steps), Tokens()),
            cost=reduce(add, (step.cost for step in self.steps), 0.0),
            milliseconds=max(0, max(ends) - min(ends)) if ends else None,
        )


@dataclass(kw_only=True)
class Conversation:
    """One session. `children` are the sessions of its sub-agents, and of theirs, by id, in one flat mapping.

    `diffs` are the files that the document says the whole session changed, as a JSON list. `is_importable`:
    `opencode import` takes it, which needs messages of OpenCode 1.
    """

    id: str
    title: str
    parent_id: str | None = None
    directory: str = ""
    version: str = ""
    created_at: int | None = None
    updated_at: int | None = None
    models: Sequence[str] = ()
    cost: float = 0
    tokens: Tokens = field(default_factory=Tokens)
    turns: Sequence[Turn] = ()
    agent: str = ""
    diffs: Raw = field(default_factory=lambda: NOTHING)
    children: Mapping[str, Conversation] = field(default_factory=dict)
    is_importable: bool = True

    def release(self) -> None:
        """Lets go of the children, which refer to each other: without that, the memory of all stays in use
        until Python looks for cycles."""
        for each in list(self.walk()):
            each.children = {}

    @property
    def project(self) -> str:
        """The name of the folder that the session ran in."""
        return self.directory.replace("\\", "/").rstrip("/").rpartition("/")[2]

    def walk(self) -> Iterator[Conversation]:
        """This conversation, and then every child."""
        yield self
        yield from self.children.values()

    @cached_property
    def steps(self) -> list[Step]:
        return [step for turn in self.turns for step in turn.steps]

    @cached_property
    def step_count(self) -> int:
        return len(self.steps)

    @cached_property
    def weight(self) -> int:
        """What it costs to show all of its steps, as bytes of JSON."""
        return sum(step.weight for step in self.steps)
