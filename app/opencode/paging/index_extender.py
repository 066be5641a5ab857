"""Extends the index of a document by what changed in it, without reading the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from msgspec import Raw

from app.opencode.child_changes import id_of_message
from app.opencode.document_fields import CHILDREN, DIFFS, MESSAGES, SESSION, is_compact, is_v1
from app.opencode.encoding import JSON
from app.opencode.limits import MAX_CHILDREN, MAX_MESSAGES, MAX_PARTS, object_fields, objects
from app.opencode.model import NOTHING
from app.opencode.overlay import Overlay
from app.opencode.paging.document import document_size
from app.opencode.paging.index_reader import DocumentIndex
from app.opencode.paging.index_record import PagedSession, head_of, index_record
from app.opencode.paging.page_builder import PageBuilder, is_within
from app.opencode.paging.page_editor import PageEditor, read_changed
from app.opencode.paging.pieces import Pieces, piece_of
from app.opencode.paging.records import (
    ByteRange,
    SessionRecord,
    decode_state,
    encode,
    records_of,
    with_id,
)
from app.opencode.reading.conversation import directory_of, read_message, undone_from
from app.opencode.reading.envelope import model_names
from app.opencode.reading.steps import FixedId
from app.opencode.sync.changes import DocumentChanges, NeedsWholeDocument, read_changes
from app.opencode.sync.merge import DocumentHeader


@dataclass(frozen=True)
class Extension:
    """A new index, and what is to be appended to the file of messages for it."""

    index: bytes
    pieces: list[Raw]
    document_size: int


class IndexedDocument:
    """The document that an index was made of, as changes are merged into it."""

    def __init__(self, index: DocumentIndex) -> None:
        self.sessions = index.record.sessions
        self.messages = index.messages

    def field(self, name: str) -> Raw | None:
        place = self.sessions[0].fields.get(name)
        return piece_of(self.messages, place) if place else None

    def message(self, id: str) -> Raw | None:
        found = next(with_id(self.sessions[0].pages, id), None)
        return piece_of(self.messages, found[1].place) if found else None


def extend_index(index: DocumentIndex, batches: Iterable[JSON], header: DocumentHeader) -> Extension:
    """The index of an extendable document after batches, each a JSON list of items.

    Raises NeedsWholeDocument where that needs all of it, or DamagedIndex.
    """
    document = IndexedDocument(index)
    try:
        return _Extender(document, read_changes(document, batches, header)).extension()
    except (msgspec.MsgspecError, RecursionError):
        raise NeedsWholeDocument from None


class _Extender:
    def __init__(self, document: IndexedDocument, changes: DocumentChanges) -> None:
        self._root_record, *children = document.sessions
        self._child_records = {record.id: record for record in children}
        self._messages = document.messages
        self._changes = changes
        # New pieces follow whatever the file has, also of versions that nobody reads any more.
        self._pieces = Pieces(len(document.messages))
        self._new_ids: list[tuple[str, str]] = []
        self._names = model_names(changes.fields["models"])

    def extension(self) -> Extension:
        sessions = [self._root(), *self._children()]
        self._check(sessions)
        record = index_record(sessions, is_extendable=True)
        return Extension(encode(record), self._pieces.pieces, document_size(record))

    def _root(self) -> PagedSession:
        record, changes = self._root_record, self._changes
        places = self._places(record.fields, changes.fields)
        if changes.children and CHILDREN not in places:
            places[CHILDREN] = self._pieces.add(NOTHING)
        generations = {is_v1(message) for message in changes.messages.values.values() if message is not None}
        if first := next(records_of(record.pages[:1]), None):
            generations.add(is_v1(piece_of(self._messages, first.place)))
        if len(generations) > 1:
            raise NeedsWholeDocument
        paged = self._changed(
            record, places, changes.fields[SESSION], changes.messages, by_time=True in generations
        )
        paged.head.diffs = changes.fields[DIFFS]
        return replace(paged, diffs_place=places[DIFFS])

    def _children(self) -> Iterator[PagedSession]:
        changed = self._changes.children
        whole = Overlay[Raw | SessionRecord]({**changed.whole.values}, changed.whole.deleted)
        for id, child in whole.applied_to(self._child_records).items():
            if isinstance(child, Raw):
                yield self._new_child(id, changed.merged(id, child))
            elif id in changed.sessions or id in changed.messages:
                yield self._changed_child(child)
            else:
                head = head_of(self._session(child), child.pages, child.after, self._names)
                yield PagedSession(head, child.pages, child.after, child.diffs, child.fields, child)

    def _changed_child(self, record: SessionRecord) -> PagedSession:
        changed = self._changes.children
        session = changed.sessions.get(record.id)
        places = self._places(record.fields, {SESSION: session} if session else {})
        messages = changed.messages.get(record.id, Overlay())
        return self._changed(record, places, session or self._session(record), messages, by_time=False)

    def _new_child(self, id: str, child: Raw) -> PagedSession:
        fields = object_fields(child)
        session, messages = fields[SESSION], objects(fields[MESSAGES], MAX_MESSAGES)
        builder = PageBuilder(id, directory_of(session), undone_from(session))
        ids = [*map(id_of_message, messages)]
        if len(set(ids)) < len(ids) or not is_compact(child, fields) or id == self._root_record.id:
            raise NeedsWholeDocument
        for message_id, message in zip(ids, messages, strict=True):
            builder.add(read_changed(message_id, message), self._pieces.add(message))
        after = builder.finish()
        self._new_ids += [(id, message_id) for message_id in ids]
        places = self._pieces.add_all({**fields, MESSAGES: NOTHING})
        head = head_of(session, builder.pages, after, self._names)
        return PagedSession(head, builder.pages, after, self._pieces.add(NOTHING), places)

    def _changed(
        self,
        record: SessionRecord,
        places: Mapping[str, ByteRange],
        session: Raw,
        messages: Overlay[Raw],
        *,
        by_time: bool,
    ) -> PagedSession:
        editor = PageEditor(record, self._messages, self._pieces, by_time=by_time)
        self._new_ids += [(record.id, id) for id in editor.apply(messages)]
        before = self._session(record)
        directory = directory_of(session)
        if directory != directory_of(before):
            raise NeedsWholeDocument
        builder = PageBuilder(
            record.id,
            directory,
            undone_from(session),
            reads_all=self._reads_all(record, messages, undone_from(session), undone_from(before)),
        )
        after = editor.rebuild(builder, undone_from(session), undone_from(before))
        head = head_of(session, builder.pages, after, self._names)
        if head.id != record.id:
            raise NeedsWholeDocument
        return PagedSession(head, builder.pages, after, record.diffs, places, record)

    def _reads_all(
        self, record: SessionRecord, changed: Overlay[Raw], undone_from: str, undone_from_before: str
    ) -> bool:
        """Whether what calls edited has to be read everywhere. Raises NeedsWholeDocument if that is new."""
        found = (next(with_id(record.pages, id), None) for id in (undone_from_before, undone_from))
        before, stored = (piece_of(self._messages, each[1].place) if each else None for each in found)
        after = changed.values.get(undone_from, stored)
        was_within, within = (message is not None and _is_within(message) for message in (before, after))
        if was_within != within or (undone_from != undone_from_before and within):
            raise NeedsWholeDocument
        return within

    def _session(self, record: SessionRecord) -> Raw:
        return piece_of(self._messages, record.fields[SESSION])

    def _places(self, known: Mapping[str, ByteRange], fields: Mapping[str, Raw]) -> dict[str, ByteRange]:
        """Where the fields are, of which those that have changed are added."""
        places = {**known}
        for name, value in fields.items():
            place = known.get(name)
            if place is None or piece_of(self._messages, place) != value:
                places[name] = self._pieces.add(value)
        return places

    def _check(self, sessions: Sequence[PagedSession]) -> None:
        """Raises NeedsWholeDocument for what a document may not have."""
        states = [decode_state(session.after) for session in sessions]
        is_too_much = (
            len(sessions) > MAX_CHILDREN
            or sum(state.messages for state in states) > MAX_MESSAGES
            or sum(state.parts for state in states) > MAX_PARTS
        )
        is_taken = any(
            session.head.id != session_id and any(with_id(session.pages, id))
            for session_id, id in self._new_ids
            for session in sessions
        )
        if is_too_much or is_taken:
            raise NeedsWholeDocument


def _is_within(message: Raw) -> bool:
    return is_within(read_message(message, FixedId(""), 0)[0])
