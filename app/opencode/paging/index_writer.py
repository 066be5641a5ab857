"""Writes the index of a document: where each message is, so that a page reads only the few that it shows.

The index also has what every page says about the whole session. It is MessagePack, read only by
`app.opencode.paging.index_reader`; the messages are in a file of their own, one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Raw

from app.opencode.document_fields import DIFFS, MessageOrder, document_fields
from app.opencode.encoding import JSON
from app.opencode.model import NOTHING
from app.opencode.paging.index_record import PagedSession, head_of, index_record
from app.opencode.paging.page_builder import PageBuilder, is_within
from app.opencode.paging.pieces import Pieces
from app.opencode.paging.records import encode
from app.opencode.reading.conversation import directory_of, id_of, read_message, undone_from
from app.opencode.reading.envelope import (
    StoredSession,
    as_unreadable,
    model_names,
    open_document,
    stored_children,
)
from app.opencode.reading.steps import FixedId, UniqueIds


def write_index(document: JSON, *, is_extendable: bool = False) -> tuple[bytes, list[Raw]]:
    """The index of a document of JSON as `as_utf8` returns it, and the chunks of the file of messages.

    With `is_extendable`, changes can be merged into it later, unless that would change more of the document
    than they name; such a document was counted when its last change was taken. Raises UnreadableDocument.
    """
    with as_unreadable():
        contents = open_document(document, is_counted=is_extendable)
        stored = [
            StoredSession(contents.session, contents.messages),
            *stored_children(contents).values(),
        ]
        fields = document_fields(document, contents, len(stored)) if is_extendable else None
        indexer = _Indexer(model_names(contents.models))
        sessions: list[PagedSession] = []
        for each, own in zip(stored, fields or [{} for _ in stored], strict=True):
            sessions.append(indexer.add(each, NOTHING if sessions else contents.diffs, own))
        record = index_record(sessions, is_extendable=bool(fields) and indexer.keeps_messages)
        return encode(record), indexer.pieces


class _Indexer:
    """Cuts sessions into pages, whose messages are in `pieces`.

    It `keeps_messages` as long as all have the ids and the order that they have in the document.
    """

    def __init__(self, names_of_models: Mapping[str, str]) -> None:
        self._names_of_models = names_of_models
        self._ids = UniqueIds()
        self._pieces = Pieces()
        self._is_in_order = True

    @property
    def keeps_messages(self) -> bool:
        return self._is_in_order and self._ids.are_own

    @property
    def pieces(self) -> list[Raw]:
        return self._pieces.pieces

    def add(self, stored: StoredSession, diffs: Raw, fields: Mapping[str, Raw]) -> PagedSession:
        """The session, which changed the files `diffs`; its `fields` become pieces as well."""
        session, messages = stored.session, stored.messages
        self._ids.messages.add(len(messages))
        undone = undone_from(session)
        reads_all = bool(undone) and _is_within(undone, messages)
        builder = PageBuilder(id_of(session), directory_of(session), undone, reads_all=reads_all)
        order = MessageOrder()
        for number, message in enumerate(messages):
            steps = read_message(message, self._ids, number)
            for step in steps:
                self._ids.parts.add(len(step.parts))
            order.add(steps[0])
            builder.add(steps, self._pieces.add(message))
        after = builder.finish()
        self._is_in_order &= order.is_kept
        head = head_of(session, builder.pages, after, self._names_of_models)
        head.diffs = diffs
        places = self._pieces.add_all(fields)
        diffs_place = places[DIFFS] if fields.get(DIFFS) == diffs else self._pieces.add(diffs)
        return PagedSession(head, builder.pages, after, diffs_place, places)


def _is_within(id: str, messages: Iterable[Raw]) -> bool:
    """Whether `is_within` holds for the first message with an id."""
    encoded = id.encode(errors="replace")
    for message in messages:
        if encoded in bytes(message):
            ids = FixedId(id)
            first = read_message(message, ids, 0)[0]
            if ids.own == id:
                return is_within(first)
    return False
