"""The record of an index, made of sessions that were cut into pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from app.opencode.changes.totals import ChangeRecord, SessionChanges, Totals, totals
from app.opencode.children import uncalled_children
from app.opencode.fields import bounded
from app.opencode.model import Conversation, Tokens
from app.opencode.paging.page_builder import MAX_CHARACTERS, MAX_MODELS
from app.opencode.paging.prompts import first_and_last
from app.opencode.paging.records import (
    ByteRange,
    IndexRecord,
    PageRecord,
    SessionRecord,
    added,
    bounded_all,
    counts_of,
    decode_state,
)
from app.opencode.paging.timeline import KnownMarks, StepsOnPage, Timeline, marks_of
from app.opencode.reading.conversation import Summary, read_session

_decode_changes = msgspec.msgpack.Decoder(list[ChangeRecord]).decode


@dataclass(frozen=True)
class PagedSession:
    """A session that was cut into pages. `head` is the conversation, whose turns are not needed any more.

    `known` is the record of an earlier version, from which is taken what cannot have changed.
    """

    head: Conversation
    pages: Sequence[PageRecord]
    after: bytes
    diffs_place: ByteRange
    fields: Mapping[str, ByteRange] = field(default_factory=dict)
    known: SessionRecord | None = None

    @property
    def changes(self) -> SessionChanges:
        """What it changed, to be counted."""
        return SessionChanges(
            self.head.id,
            self.head.directory,
            self._change_records,
            self.head.diffs,
            decode_state(self.after).is_undone,
        )

    @property
    def is_counted(self) -> bool:
        """Whether its changes are those that were counted for `known`."""
        known = self.known
        return (
            known is not None
            and known.diffs == self.diffs_place
            and decode_state(known.after).is_undone == decode_state(self.after).is_undone
            and [page.changes for page in known.pages] == [page.changes for page in self.pages]
        )

    def _change_records(self) -> Iterator[ChangeRecord]:
        return (record for page in self.pages for record in _decode_changes(page.changes))


def head_of(
    session: Raw, pages: Sequence[PageRecord], after: bytes, model_names: Mapping[str, str]
) -> Conversation:
    """The conversation of a session that was cut into pages; its steps keep the ids of models.

    Raises msgspec.ValidationError when it is no session.
    """
    state = decode_state(after)
    summary = Summary(
        has_messages=state.messages > 0,
        prompt_titles=(prompt.title for prompt in first_and_last(pages)),
        models=state.models,
        agent=state.agent,
        cost=state.cost + state.turn.cost,
        tokens=Tokens(*added(state.tokens, state.turn.tokens)),
    )
    head = read_session(session, summary)
    head.models = [model_names.get(model, model) for model in head.models]
    return head


def index_record(sessions: Sequence[PagedSession], *, is_extendable: bool) -> IndexRecord:
    """The index of a session and its children."""
    root, *children = sessions
    # What sub-agents changed counts once, for the session: they may call each other in chains.
    if root.known and all(session.is_counted for session in sessions):
        changed = root.known.changed
    else:
        changed = totals(root.changes, {child.head.id: child.changes for child in children})
    called = {each.head.id: [id for page in each.pages for id in page.called] for each in sessions}
    return IndexRecord(
        [
            _session_record(root, changed, uncalled_children(root.head.id, called)),
            *(_session_record(child, _own_totals(child), ()) for child in children),
        ],
        is_extendable,
    )


def _own_totals(session: PagedSession) -> Totals:
    if session.known and session.is_counted:
        return session.known.changed
    return totals(session.changes, {})


def _session_record(session: PagedSession, changed: Totals, uncalled: Sequence[str]) -> SessionRecord:
    head = session.head
    return SessionRecord(
        id=head.id,
        title=head.title[:MAX_CHARACTERS],
        parent_id=head.parent_id,
        directory=head.directory[:MAX_CHARACTERS],
        version=head.version[:MAX_CHARACTERS],
        created_at=_time(head.created_at),
        updated_at=_time(head.updated_at),
        models=[model[:MAX_CHARACTERS] for model in head.models[:MAX_MODELS]],
        agent=head.agent[:MAX_CHARACTERS],
        cost=head.cost,
        tokens=bounded_all(counts_of(head.tokens)),
        is_importable=head.is_importable,
        changed=changed,
        timeline=_timeline(session),
        uncalled=uncalled,
        diffs=session.diffs_place,
        fields=session.fields,
        pages=session.pages,
        after=session.after,
    )


def _timeline(session: PagedSession) -> Timeline:
    state = decode_state(session.after)
    steps = [StepsOnPage(page.step_count, page.steps) for page in session.pages]
    agent = bounded(state.agent_milliseconds + (state.turn.milliseconds or 0))
    return Timeline(marks_of(steps, _known_marks(session)), agent, state.person_milliseconds)


def _known_marks(session: PagedSession) -> KnownMarks:
    known = session.known
    if known is None:
        return KnownMarks((), 0, 0)
    pairs = zip(known.pages, session.pages, strict=False)
    changed = next((at for at, (old, new) in enumerate(pairs) if old.steps != new.steps), None)
    same_pages = min(len(known.pages), len(session.pages)) if changed is None else changed
    return KnownMarks(known.timeline.marks, decode_state(known.after).steps, same_pages)


def _time(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else bounded(milliseconds)
