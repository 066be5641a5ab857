"""A document by its index: known as a whole at once, read page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import overload

import msgspec
from msgspec import Raw

from app.opencode.changes.changes import Totals
from app.opencode.model import Conversation, Step, Tokens, Turn
from app.opencode.paging.index_writer import ChapterRecord, PlacedMessage, Prompt, Slice
from app.opencode.paging.pages import Page, PageTurn, PlacedStep
from app.opencode.reading.conversation import read_message

_decode_chapters = msgspec.msgpack.Decoder(list[ChapterRecord]).decode
_decode_page = msgspec.msgpack.Decoder(list[PlacedMessage]).decode


class Index:
    """What `write_index` noted; `messages` are the pieces it gave back, joined, in memory or mapped."""

    def __init__(self, index: bytes, messages: memoryview) -> None:
        session, *children = [_chapter(record, messages) for record in _decode_chapters(index)]
        self.session = session
        self.children = {chapter.conversation.id: chapter for chapter in children}
        session.conversation.children = _Children(self.children)

    @property
    def chapters(self) -> list[Chapter]:
        """The session, and then every child."""
        return [self.session, *self.children.values()]

    @property
    def conversation(self) -> Conversation:
        """The session, of which turns and children are read when they are asked for."""
        return self.session.conversation

    def steps_with(self, id: str) -> Iterator[Step]:
        """The steps of the messages in which `id` occurs, or for whose parts it may have been made up."""
        for chapter in self.chapters:
            yield from chapter.pages.steps_with(id)


@dataclass(frozen=True)
class Chapter:
    """One conversation of a document, with what would need all of it to be told: `prompts` are the first."""

    conversation: Conversation
    pages: Pages
    message_count: int
    prompts: Sequence[Prompt]
    changed: Totals


def _chapter(record: ChapterRecord, messages: memoryview) -> Chapter:
    pages = Pages(record.pages, messages)
    conversation = Conversation(
        id=record.id,
        title=record.title,
        parent_id=record.parent_id,
        directory=record.directory,
        version=record.version,
        created_at=record.created_at,
        updated_at=record.updated_at,
        models=record.models,
        agent=record.agent,
        cost=record.cost,
        tokens=Tokens(*record.tokens),
        diffs=_json(messages, record.diffs),
        turns=_Turns(pages, record.turn_count),
    )
    return Chapter(conversation, pages, record.message_count, record.prompts, record.changed)


class Pages:
    """The pages of a conversation, numbered from 1."""

    def __init__(self, records: Sequence[Raw], messages: memoryview) -> None:
        self._records = records
        self._messages = messages

    def __len__(self) -> int:
        return len(self._records)

    def get(self, number: int) -> Page | None:
        if not 1 <= number <= len(self):
            return None
        turns: list[PageTurn] = []
        turn_before = self._on_page(number - 1)[-1].turn if number > 1 else 0
        for message in self._on_page(number):
            if not turns or turns[-1].number != message.turn:
                turns.append(PageTurn(message.turn, is_continued=message.turn == turn_before))
            first, last = message.pieces
            for step in self._steps(message)[first : last + 1]:
                turns[-1].steps.append(PlacedStep(step, message.shows_who and step.piece == first))
        return Page(number, len(self), turns)

    def holding(self, step_id: str) -> Page | None:
        """The page on which a step stands."""
        # The id of a later piece is that of its message with a number.
        wanted = {step_id, step_id.rpartition(".")[0]}
        for number in range(1, len(self) + 1):
            if any(message.id in wanted for message in self._on_page(number)):
                page = self.get(number)
                if page and page.has(step_id):
                    return page
        return None

    def turns(self) -> list[Turn]:
        """All of the conversation."""
        return [
            Turn([step for message in messages for step in self._steps(message)])
            for _, messages in groupby(self._all(), key=lambda message: message.turn)
        ]

    def steps_with(self, id: str) -> Iterator[Step]:
        """As `Index.steps_with`, of this conversation."""
        needle = b'"%b"' % id.encode(errors="replace")
        for message in self._all():
            if id.startswith(message.id) or needle in bytes(_json(self._messages, message.place)):
                yield from self._steps(message)

    def _all(self) -> Iterator[PlacedMessage]:
        """Every message once, also one that stands on several pages."""
        last = -1
        for number in range(1, len(self) + 1):
            for message in self._on_page(number):
                if message.number != last:
                    yield message
                last = message.number

    def _on_page(self, number: int) -> list[PlacedMessage]:
        return _decode_page(self._records[number - 1])

    def _steps(self, message: PlacedMessage) -> list[Step]:
        """All steps of a message, of which only some may stand on its page."""
        steps = read_message(_json(self._messages, message.place), _Known(message.id), message.number)
        for step in steps:
            step.is_undone = message.is_undone
        return steps


def _json(messages: memoryview, place: Slice) -> Raw:
    return Raw(messages[place.start : place.start + place.size])


class _Known:
    """Gives a message the id that it was given when the whole document was read."""

    def __init__(self, id: str) -> None:
        self._id = id

    def take(self, _id: str, _index: int) -> str:
        return self._id


class _Turns(Sequence[Turn]):
    """The turns of a conversation, read when the first is asked for."""

    def __init__(self, pages: Pages, count: int) -> None:
        self._pages = pages
        self._count = count

    @cached_property
    def _turns(self) -> list[Turn]:
        return self._pages.turns()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Turn: ...
    @overload
    def __getitem__(self, place: slice) -> list[Turn]: ...
    def __getitem__(self, place: int | slice) -> Turn | list[Turn]:
        return self._turns[place]


class _Children(Mapping[str, Conversation]):
    """The conversations of the children of a session, by id."""

    def __init__(self, chapters: Mapping[str, Chapter]) -> None:
        self._chapters = chapters

    def __getitem__(self, id: str) -> Conversation:
        return self._chapters[id].conversation

    def __iter__(self) -> Iterator[str]:
        return iter(self._chapters)

    def __len__(self) -> int:
        return len(self._chapters)
