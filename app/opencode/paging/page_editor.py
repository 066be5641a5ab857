"""Changes the pages of a session: only those are made anew that have what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Raw

from app.opencode.fields import bounded, safe_id
from app.opencode.model import Step
from app.opencode.overlay import Overlay
from app.opencode.paging.page_builder import PageBuilder
from app.opencode.paging.pieces import Pieces, piece_of
from app.opencode.paging.records import (
    ByteRange,
    MessageRecord,
    PageRecord,
    SessionRecord,
    decode_messages,
    records_of,
    with_id,
)
from app.opencode.reading.conversation import read_message
from app.opencode.reading.steps import FixedId
from app.opencode.sync.changes import NeedsWholeDocument


@dataclass(frozen=True)
class _Put:
    """A message that was put: what it was read as, and where it lies."""

    steps: Sequence[Step]
    place: ByteRange

    @property
    def key(self) -> tuple[int, str]:
        """By this, messages of OpenCode 1 are in order."""
        return bounded(self.steps[0].at or 0), self.steps[0].message_id


class PageEditor:
    """Puts and deletes messages of a session whose JSON is in `messages`; new JSON is added to `pieces`.

    With `by_time`, new messages come in the order of their times, otherwise last.
    """

    def __init__(
        self, session: SessionRecord, messages: memoryview, pieces: Pieces, *, by_time: bool
    ) -> None:
        # A session without messages has one page, with nothing on it.
        self._pages = [page for page in session.pages if page.step_count]
        self._after = session.after
        self._messages = messages
        self._pieces = pieces
        self._by_time = by_time
        self._replaced: dict[str, _Put] = {}
        self._added: list[_Put] = []
        self._deleted: set[str] = set()
        self._changed: set[int] = set()

    def apply(self, changes: Overlay[Raw]) -> list[str]:
        """Notes changes, and returns the ids of the messages that are new.

        Raises NeedsWholeDocument where a message would get another id, or is of another generation.
        """
        new = []
        for id, message in changes.values.items():
            existing = self._find(id)
            if message is None or id in changes.deleted:
                self._deleted.add(id)
            if message is None:
                continue
            put = _Put(read_changed(id, message), self._pieces.add(message))
            if existing is None:
                new.append(id)
            if existing is None or id in self._deleted or (self._by_time and existing.at != put.key[0]):
                self._deleted.add(id)
                self._added.append(put)
            else:
                self._replaced[id] = put
        if self._by_time:
            self._added.sort(key=lambda put: put.key)
        return new

    def rebuild(self, builder: PageBuilder, undone_from: str, undone_from_before: str) -> bytes:
        """Makes `builder` have the pages after the changes, and returns the state after them."""
        if undone_from != undone_from_before:
            for id in filter(None, (undone_from, undone_from_before)):
                self._find(id)
        self._mark_changed()
        for number, page in enumerate(self._pages):
            is_last = number + 1 == len(self._pages)
            after = self._after if is_last else self._pages[number + 1].before
            if number in self._changed or not builder.take_over(page, after):
                self._add_page(builder, page)
                if not is_last and self._by_time:
                    self._add_before(builder, self._key_of_first(number + 1))
        for put in self._added:
            builder.add(put.steps, put.place)
        self._added = []
        return builder.finish()

    def _find(self, id: str) -> MessageRecord | None:
        """The message with this id; the pages that have some of it are made anew."""
        found = None
        for number, record in with_id(self._pages, id):
            self._changed.add(number)
            found = found or record
        return found

    def _mark_changed(self) -> None:
        last = len(self._pages) - 1
        for put in self._added:
            number = last
            while self._by_time and number > 0 and self._key_of_first(number) > put.key:
                number -= 1
            self._changed.add(number)
        for number in range(last, 0, -1):
            if number in self._changed and self._begins_before(number):
                self._changed.add(number - 1)

    def _begins_before(self, number: int) -> bool:
        """Whether the page before has to be made anew as well.

        It has if it has a part of the first message, or if that has changed and may have room on it now.
        """
        first = self._first(number)
        return first.pieces[0] > 0 or first.id in self._replaced or first.id in self._deleted

    def _first(self, number: int) -> MessageRecord:
        return decode_messages(self._pages[number].messages)[0]

    def _key_of_first(self, number: int) -> tuple[int, str]:
        first = self._first(number)
        return first.at, first.id

    def _add_page(self, builder: PageBuilder, page: PageRecord) -> None:
        for record in records_of([page]):
            if self._by_time:
                self._add_before(builder, (record.at, record.id))
            if record.id in self._replaced:
                put = self._replaced[record.id]
                builder.add(put.steps, put.place)
            elif record.id not in self._deleted:
                message = piece_of(self._messages, record.place)
                builder.add(read_message(message, FixedId(record.id), record.number), record.place)

    def _add_before(self, builder: PageBuilder, key: tuple[int, str]) -> None:
        """Adds the new messages that come before a key."""
        while self._added and self._added[0].key < key:
            put = self._added.pop(0)
            builder.add(put.steps, put.place)


def read_changed(id: str, message: Raw) -> list[Step]:
    """The steps of a message, which is to keep its id. Raises NeedsWholeDocument if it cannot."""
    ids = FixedId(id)
    steps = read_message(message, ids, 0)
    if not id or ids.own != id or safe_id(id, "") != id:
        raise NeedsWholeDocument
    return steps
