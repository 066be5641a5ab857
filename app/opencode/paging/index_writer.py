"""Writes the index of a document: where each message is, so that a page reads only the few that it shows.

The index also has what every page says about the whole session. It is MessagePack, read only by
`app.opencode.paging.index_reader`; the messages are in a file of their own, one after another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec
from msgspec import Raw

from app.lib.files import checksum
from app.opencode.changes.changes import Totals, totals
from app.opencode.children import uncalled_children
from app.opencode.fields import bounded
from app.opencode.model import Conversation, Tokens, Turn, TurnTotals
from app.opencode.paging.pages import Page, pages_of
from app.opencode.paging.timeline import Timeline, timeline_of
from app.opencode.titles import prompt_title

# Upper bounds of what every page says about the session.
MAX_FIRST_PROMPTS = MAX_LAST_PROMPTS = 100
# How many prompts one page of all of them has.
PAGE_PROMPTS = 500
MAX_MODELS = 20
MAX_CHARACTERS = 10_000


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


class TotalsRecord(msgspec.Struct, array_like=True, frozen=True):
    """A model.TurnTotals; `tokens` are the fields of model.Tokens in order."""

    tokens: Sequence[int]
    cost: float
    milliseconds: int | None


class MessageRecord(msgspec.Struct, array_like=True, frozen=True):
    """A message on a page: its JSON is at `place`.

    `number` is its place in the session from 0, `turn` the number of its turn from 1. `pieces` are the first
    and the last of its steps that are on the page. `totals` are those of the turn that ends with it.
    """

    id: str
    number: int
    place: ByteRange
    turn: int
    pieces: tuple[int, int]
    shows_author: bool
    is_undone: bool
    repeats_failure: bool
    totals: TotalsRecord | None = None


class SessionRecord(msgspec.Struct, array_like=True, frozen=True):
    """A session; `tokens` are the fields of model.Tokens in order, `pages` encoded lists of MessageRecord.

    `prompts` are the first and the last; all of them are at `prompt_pages`, as MessagePack lists.
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
    diffs: ByteRange
    message_count: int
    turn_count: int
    prompts: Sequence[Prompt]
    prompt_count: int
    prompt_pages: Sequence[ByteRange]
    changed: Totals
    timeline: Timeline
    uncalled: Sequence[str]
    is_importable: bool
    step_count: int
    weight: int
    pages: Sequence[Raw]


_encode = msgspec.msgpack.encode


class _Messages:
    """Collects the messages of a document one after another, and what else pages read only in part."""

    def __init__(self) -> None:
        self.pieces: list[Raw] = []
        self._end = 0

    def add(self, piece: Raw) -> ByteRange:
        place = ByteRange(self._end, len(memoryview(piece)), checksum(memoryview(piece)))
        self.pieces.append(piece)
        self._end += place.size
        return place


def write_index(conversation: Conversation) -> tuple[bytes, list[Raw]]:
    """The index of a conversation with its children, and the chunks of the file of messages."""
    messages = _Messages()
    # What sub-agents changed counts once, for the session: they may call each other in chains.
    session, *children = [
        _indexed_session(each, messages, is_root=each is conversation) for each in conversation.walk()
    ]
    sessions = [msgspec.structs.replace(session, uncalled=uncalled_children(conversation)), *children]
    return _encode(sessions), messages.pieces


def _indexed_session(conversation: Conversation, messages: _Messages, *, is_root: bool) -> SessionRecord:
    places: dict[int, ByteRange] = {}
    prompts = prompts_of(conversation.turns)
    pages = pages_of(conversation)
    records = [Raw(_encode(list(_on_page(page, places, messages)))) for page in pages]
    return SessionRecord(
        id=conversation.id,
        title=conversation.title[:MAX_CHARACTERS],
        parent_id=conversation.parent_id,
        directory=conversation.directory[:MAX_CHARACTERS],
        version=conversation.version[:MAX_CHARACTERS],
        created_at=_time(conversation.created_at),
        updated_at=_time(conversation.updated_at),
        models=[model[:MAX_CHARACTERS] for model in conversation.models[:MAX_MODELS]],
        agent=conversation.agent[:MAX_CHARACTERS],
        cost=conversation.cost,
        tokens=_bounded_tokens(conversation.tokens),
        diffs=messages.add(conversation.diffs),
        message_count=len(places),
        turn_count=len(conversation.turns),
        prompts=prompts[:MAX_FIRST_PROMPTS] + prompts[MAX_FIRST_PROMPTS:][-MAX_LAST_PROMPTS:],
        prompt_count=len(prompts),
        prompt_pages=[
            messages.add(Raw(_encode(prompts[start : start + PAGE_PROMPTS])))
            for start in range(0, len(prompts) or 1, PAGE_PROMPTS)
        ],
        changed=_bounded_totals(totals(conversation, with_sub_agents=is_root)),
        timeline=timeline_of(pages),
        uncalled=(),
        is_importable=conversation.is_importable,
        step_count=conversation.step_count,
        weight=conversation.weight,
        pages=records,
    )


def prompts_of(turns: Sequence[Turn]) -> list[Prompt]:
    """What people asked, in order; not what OpenCode continued by itself."""
    titles = ((turn.id, prompt_title(turn)) for turn in turns)
    prompted = [(id, title) for id, title in titles if title is not None]
    return [Prompt(number, id, title) for number, (id, title) in enumerate(prompted, start=1)]


def _on_page(page: Page, places: dict[int, ByteRange], messages: _Messages) -> Iterator[MessageRecord]:
    for turn in page.turns:
        last = turn.steps[-1].step.number
        for number, run in groupby(turn.steps, key=lambda placed: placed.step.number):
            pieces = list(run)
            step = pieces[0].step
            if number not in places:
                places[number] = messages.add(step.message)
            yield MessageRecord(
                id=step.message_id,
                number=number,
                place=places[number],
                turn=turn.number,
                pieces=(step.piece, pieces[-1].step.piece),
                shows_author=pieces[0].shows_author,
                is_undone=step.is_undone,
                repeats_failure=pieces[-1].step.repeats_failure,
                totals=_totals_record(turn.totals) if turn.totals and number == last else None,
            )


def _totals_record(totals: TurnTotals) -> TotalsRecord:
    return TotalsRecord(_bounded_tokens(totals.tokens), totals.cost, _time(totals.milliseconds))


def _bounded_totals(totals: Totals) -> Totals:
    return replace(totals, additions=bounded(totals.additions), deletions=bounded(totals.deletions))


def _bounded_tokens(tokens: Tokens) -> list[int]:
    # Not `astuple`, which copies deeply and takes twenty times as long.
    counts = (tokens.input, tokens.output, tokens.reasoning, tokens.cache_read, tokens.cache_write)
    return [bounded(count) for count in counts]


def _time(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else bounded(milliseconds)
