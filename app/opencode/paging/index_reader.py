"""Reads a document by its index: facts about the whole at once, messages page by page."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import overload

from app.opencode.changes.totals import Totals
from app.opencode.model import Conversation, Step, Tokens, Turn, TurnTotals
from app.opencode.paging.document import document_pieces, document_size
from app.opencode.paging.pages import Page, PageTurn, PlacedStep
from app.opencode.paging.pieces import piece_of
from app.opencode.paging.prompts import PromptPages, first_and_last
from app.opencode.paging.records import (
    MessageRecord,
    PageRecord,
    Prompt,
    SessionRecord,
    TurnState,
    decode_index,
    decode_messages,
    decode_state,
    with_id,
)
from app.opencode.paging.timeline import Timeline
from app.opencode.reading.conversation import read_message
from app.opencode.reading.steps import FixedId


class DocumentIndex:
    """A document as `write_index` left it; `messages` are its chunks joined, in memory or mapped.

    `size` is how many bytes the messages of all sessions have.
    """

    def __init__(self, index: bytes, messages: memoryview) -> None:
        self.record = decode_index(index)
        self.is_extendable = self.record.is_extendable
        session, *children = [_indexed_session(record, messages) for record in self.record.sessions]
        self.messages = messages
        self.session = session
        self.children = {session.conversation.id: session for session in children}
        for each in self.sessions:
            each.conversation.children = _LazyChildren(self)
        self.size = sum(each.size for each in self.sessions)

    @property
    def document_size(self) -> int:
        """The bytes of `document`."""
        return document_size(self.record)

    def document(self) -> Iterator[bytes | memoryview]:
        """The JSON of an extendable document, in pieces. Raises DamagedIndex."""
        return document_pieces(self.record, self.messages)

    @property
    def sessions(self) -> list[IndexedSession]:
        """The session, and then every child."""
        return [self.session, *self.children.values()]

    @property
    def conversation(self) -> Conversation:
        """The session; its turns and children are read on demand."""
        return self.session.conversation


@dataclass(frozen=True)
class IndexedSession:
    """One session of a document, with facts that would need all of it.

    `prompts` are the first and the last of `prompt_count`, and `prompt_pages` has all of them; `uncalled` are
    the sub-agents' sessions that no call leads to.
    """

    conversation: Conversation
    pages: PageIndex
    message_count: int
    size: int
    prompts: Sequence[Prompt]
    prompt_count: int
    prompt_pages: PromptPages
    changed: Totals
    timeline: Timeline
    uncalled: Sequence[str]


def _indexed_session(record: SessionRecord, messages: memoryview) -> IndexedSession:
    pages = PageIndex(record, messages)
    state = decode_state(record.after)
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
        diffs=piece_of(messages, record.diffs),
        turns=_LazyTurns(pages, state.turns),
        is_importable=record.is_importable,
    )
    # Asked for without the turns, which would have to be read for them.
    conversation.step_count, conversation.weight = state.steps, state.weight
    return IndexedSession(
        conversation=conversation,
        pages=pages,
        message_count=state.messages,
        size=state.size,
        prompts=first_and_last(record.pages),
        prompt_count=state.prompts,
        prompt_pages=PromptPages(record.pages),
        changed=record.changed,
        timeline=record.timeline,
        uncalled=record.uncalled,
    )


class PageIndex:
    """The pages of a conversation, numbered from 1."""

    def __init__(self, session: SessionRecord, messages: memoryview) -> None:
        self._records = session.pages
        self._after = session.after
        self._messages = messages

    def __len__(self) -> int:
        return len(self._records)

    def get(self, number: int) -> Page | None:
        if not 1 <= number <= len(self):
            return None
        turns: list[PageTurn] = []
        turn_before = decode_state(self._records[number - 1].before).turns
        for message in self._on_page(number):
            if not turns or turns[-1].number != message.turn:
                turns.append(PageTurn(message.turn, is_continued=message.turn == turn_before))
            first, last = message.pieces
            for step in self.steps_of(message)[first : last + 1]:
                turns[-1].steps.append(PlacedStep(step, message.shows_author and step.piece == first))
            if message.totals:
                turns[-1].totals = _turn_totals(message.totals)
        if turns:
            turns[-1].totals = self._totals_at_end(self._records[number - 1 :], turns[-1].number)
        return Page(number, len(self), turns)

    def holding(self, step_id: str) -> Page | None:
        """The page that holds a step."""
        # The id of a later piece is that of its message with a number.
        message_ids = filter(None, {step_id, step_id.rpartition(".")[0]})
        numbers = {number + 1 for id in message_ids for number, _ in with_id(self._records, id)}
        pages = (self.get(number) for number in sorted(numbers))
        return next((page for page in pages if page and page.has(step_id)), None)

    def message_ids(self, number: int) -> list[str]:
        """The ids of the messages that are on a page, or parts of them."""
        return [message.id for message in self._on_page(number)]

    def turns(self) -> list[Turn]:
        """All of the conversation."""
        return [
            Turn([step for message in messages for step in self.steps_of(message)])
            for _, messages in groupby(self._all(), key=lambda message: message.turn)
        ]

    def steps_by_page(self) -> Iterator[tuple[int, list[Step]]]:
        """The steps of each message, with the page on which it begins."""
        for number, message in self._numbered():
            yield number, self.steps_of(message)

    def steps_with(self, id: str, number: int) -> Iterator[Step]:
        """The steps of the messages on a page that contain `id`, or that begin as it does."""
        needle = b'"%b"' % id.encode(errors="replace")
        for message in self._on_page(number):
            if id.startswith(message.id) or needle in bytes(piece_of(self._messages, message.place)):
                yield from self.steps_of(message)

    def messages(self, first: int = 0) -> Iterator[tuple[MessageRecord, memoryview]]:
        """Each message from the one numbered `first` on, with its JSON. Raises DamagedIndex."""
        for message in self._all():
            if message.number >= first:
                yield message, memoryview(piece_of(self._messages, message.place))

    def steps_of(self, message: MessageRecord) -> list[Step]:
        """All steps of a message, of which only some may be on its page."""
        steps = read_message(piece_of(self._messages, message.place), FixedId(message.id), message.number)
        for step in steps:
            step.is_undone = message.is_undone
        if message.repeats_failure:
            steps[-1].failure, steps[-1].repeats_failure = None, True
        return steps

    def _totals_at_end(self, records: Sequence[PageRecord], turn: int) -> TurnTotals | None:
        """The totals of the last turn on the first of these pages, unless it goes on on the next."""
        if len(records) == 1:
            return _turn_totals(decode_state(self._after).turn)
        following = records[1]
        return None if following.turn == turn else _turn_totals(decode_state(following.before).turn)

    def _all(self) -> Iterator[MessageRecord]:
        """Every message once."""
        return (message for _, message in self._numbered())

    def _numbered(self) -> Iterator[tuple[int, MessageRecord]]:
        """Every message once, also one that is on several pages, with the first of them."""
        last = -1
        for number in range(1, len(self) + 1):
            for message in self._on_page(number):
                if message.number != last:
                    yield number, message
                last = message.number

    def _on_page(self, number: int) -> list[MessageRecord]:
        return decode_messages(self._records[number - 1].messages)


def _turn_totals(turn: TurnState) -> TurnTotals:
    return TurnTotals(Tokens(*turn.tokens), turn.cost, turn.milliseconds)


class _LazyTurns(Sequence[Turn]):
    """The turns of a conversation, read when the first is accessed."""

    def __init__(self, pages: PageIndex, count: int) -> None:
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


class _LazyChildren(Mapping[str, Conversation]):
    """The conversations of the children of a session, by id, for as long as the index is in use.

    Not longer, because they refer to each other: the mapped file would stay until Python looks for cycles.
    """

    def __init__(self, index: DocumentIndex) -> None:
        self._index = weakref.ref(index)

    @property
    def _sessions(self) -> Mapping[str, IndexedSession]:
        index = self._index()
        if index is None:
            raise ReferenceError("the index of the document is no longer in use")
        return index.children

    def __getitem__(self, id: str) -> Conversation:
        return self._sessions[id].conversation

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)
