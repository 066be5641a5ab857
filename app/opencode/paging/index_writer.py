"""Notes where each message of a document lies, so that a page reads the few it shows and not the whole.

Beside the places an index holds what every page says of the whole session. It is MessagePack, read only by
`app.opencode.paging.index_reader`; the messages themselves stand one after another in a file of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from itertools import groupby

import msgspec
from msgspec import Raw

from app.opencode.changes.changes import Totals, totals
from app.opencode.model import Conversation
from app.opencode.paging.pages import Page, pages_of
from app.opencode.paging.prompts import title_of

# What every page says of a session, it says of no more than this.
MAX_PROMPTS = 200
MAX_MODELS = 20
MAX_CHARACTERS = 10_000
# MessagePack has no larger numbers; a clock or a bill never has.
MAX_NUMBER = 2**63 - 1


class Prompt(msgspec.Struct, array_like=True, frozen=True):
    """How a turn begins; `id` is that of its first step."""

    id: str
    title: str


class Slice(msgspec.Struct, array_like=True, frozen=True):
    start: int
    size: int


class PlacedMessage(msgspec.Struct, array_like=True, frozen=True):
    """A message on a page: which of its `pieces` stand there, from the first to the last, in which turn."""

    id: str
    number: int
    place: Slice
    turn: int
    pieces: tuple[int, int]
    shows_who: bool
    is_undone: bool


class ChapterRecord(msgspec.Struct, array_like=True, frozen=True):
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
    diffs: Slice
    message_count: int
    turn_count: int
    prompts: Sequence[Prompt]
    changed: Totals
    # Each a list of PlacedMessage.
    pages: Sequence[Raw]


_encode = msgspec.msgpack.encode


class _Messages:
    """Lays the messages of a document one after another."""

    def __init__(self) -> None:
        self.pieces: list[Raw] = []
        self._end = 0

    def add(self, json: Raw) -> Slice:
        place = Slice(self._end, len(memoryview(json)))
        self.pieces.append(json)
        self._end += place.size
        return place


def write_index(conversation: Conversation) -> tuple[bytes, list[Raw]]:
    """The index of a conversation with its children, and the pieces of the file that it refers to."""
    messages = _Messages()
    chapters = [_chapter(each, messages) for each in conversation.walk()]
    return _encode(chapters), messages.pieces


def _chapter(conversation: Conversation, messages: _Messages) -> ChapterRecord:
    places: dict[int, Slice] = {}
    pages = [_encode(list(_on_page(page, places, messages))) for page in pages_of(conversation)]
    return ChapterRecord(
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
        tokens=[_bounded(count) for count in astuple(conversation.tokens)],
        diffs=messages.add(conversation.diffs),
        message_count=len(places),
        turn_count=len(conversation.turns),
        prompts=[Prompt(turn.id, title_of(turn)) for turn in conversation.turns[:MAX_PROMPTS]],
        changed=Totals(*map(_bounded, astuple(totals(conversation)))),
        pages=[Raw(page) for page in pages],
    )


def _on_page(page: Page, places: dict[int, Slice], messages: _Messages) -> Iterator[PlacedMessage]:
    for turn in page.turns:
        for number, run in groupby(turn.steps, key=lambda placed: placed.step.number):
            pieces = list(run)
            step = pieces[0].step
            if number not in places:
                places[number] = messages.add(step.message)
            yield PlacedMessage(
                id=step.message_id,
                number=number,
                place=places[number],
                turn=turn.number,
                pieces=(step.piece, pieces[-1].step.piece),
                shows_who=pieces[0].shows_who,
                is_undone=step.is_undone,
            )


def _time(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else _bounded(milliseconds)


def _bounded(number: int) -> int:
    return max(-MAX_NUMBER, min(number, MAX_NUMBER))
