"""What is synced or committed piece by piece: a write-ahead log of batches in the database.

Batches come from OpenCode's own protocol and from commits of changes. Each is a row, numbered by its share,
and a large one is several. A row costs what the batch brings, however large the session is.
Now and then the log is checkpointed: merged into a new document in the store, which the share's row names
from then on. Readers get the document that the row names with the later rows merged in, so a change is seen
without writing a document, and an object that no row names is seen by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import zstandard
from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.lib.epoch import epoch_milliseconds
from app.lib.files import spool
from app.opencode import JSON, DocumentHeader, as_unreadable, merge_batches
from app.services.documents.batch import ROW_BYTES, Batch
from app.services.shares.errors import ShareNotFound
from app.services.shares.live_share import LiveShare
from app.services.shares.object_cleanup import GRACE
from app.storage import StorageError

EMPTY_DOCUMENT = b"{}"
# The size of a row that continues the batch in the row before.
CONTINUED = 0
# Of JSON in the rows that are fetched at once.
FETCHED_BYTES = 2 * ROW_BYTES
# Rows are read again when a checkpoint has deleted them meanwhile.
ATTEMPTS = 3
# A merged document up to this size is not put aside on disk.
SPOOLED_BYTES = 16 * 1024 * 1024


class Event(NamedTuple):
    """A stored batch, a JSON list; `number` is that of its last row, and rows count from 1."""

    number: int
    received_at: datetime
    items: bytearray


class LogState(NamedTuple):
    """The share as its row is by now, and every batch that is still in the log at the same moment.

    `document_bytes` is the size of the checkpoint as JSON, 0 if there is none yet. `weight` is that of the
    whole session.
    """

    share: LiveShare
    session_id: str
    document_bytes: int
    weight: int
    events: list[Event]


def append_if(share: Share, batch: Batch, condition: ColumnElement[bool]) -> bool:
    """Stores a batch for good if `condition` holds for the row of its share. Returns whether it did.

    Raises ShareNotFound if the share was just deleted.
    """
    now = max(datetime.now(UTC), share.last_link_at)
    # Counting up locks the row until the batch is in, so numbers and order of arrival are the same.
    counted = (
        update(Share)
        .where(_is_live_row(share), condition)
        .values(revision=Share.revision + batch.row_count)
        .values(
            pending_bytes=Share.pending_bytes + batch.size, weight=Share.weight + batch.weight, synced_at=now
        )
        .returning(Share.revision)
        .execution_options(synchronize_session=False)
    )
    last = db.session.scalar(counted)
    if last is None:
        is_live = _is_live(share)
        db.session.commit()
        if is_live:
            return False
        raise ShareNotFound
    first = last - batch.row_count + 1
    for number, items in enumerate(batch.rows(), first):
        size = batch.size if number == first else CONTINUED
        row = {"number": number, "received_at": now, "size": size, "items": items}
        # One statement for each row, because it contains the row several times.
        db.session.execute(insert(ShareEvent).values(share_id=share.share_id, **row))
    db.session.commit()
    return True


def append_if_unchanged(share: Share, batch: Batch, revision: int) -> bool:
    """Stores a batch if no other came since `revision`: a compare and swap."""
    return append_if(share, batch, Share.revision == revision)


def revision_of(share: Share | LiveShare) -> int:
    """The number of the last batch by now. Raises ShareNotFound."""
    revision = db.session.scalar(select(Share.revision).where(_is_live_row(share)))
    db.session.commit()
    if revision is None:
        raise ShareNotFound
    return revision


def commit_checkpoint(
    state: LogState, checkpoint: str, document_bytes: int, lighter_by: int, *, revision: int | None = None
) -> bool:
    """Names a new checkpoint in the row of its share, and deletes the batches that it contains.

    Does so only if the row still names the checkpoint that this one was made from. `lighter_by` is how much
    less the session weighs than the row says. `revision` replaces the row's, which then must not have
    changed. Returns whether the checkpoint is named now.
    """
    now = datetime.now(UTC)
    share = state.share
    covered = (ShareEvent.share_id == share.share_id) & (ShareEvent.number <= share.revision)
    covered_bytes = select(func.coalesce(func.sum(ShareEvent.size), 0)).where(covered).scalar_subquery()
    condition = _is_live_row(share) & Share.checkpoint.is_not_distinct_from(share.checkpoint)
    values = {}
    if revision is not None:
        condition &= Share.revision == share.revision
        values = {"revision": revision, "synced_at": max(now, share.last_link_at)}
    updated = (
        update(Share)
        .where(condition)
        .values(checkpoint=checkpoint, document_bytes=document_bytes, cleanup_at=now + GRACE, **values)
        .values(pending_bytes=Share.pending_bytes - covered_bytes, weight=Share.weight - lighter_by)
        .returning(Share.share_id)
        .execution_options(synchronize_session=False)
    )
    is_named = db.session.scalar(updated) is not None
    if is_named:
        db.session.execute(delete(ShareEvent).where(covered))
    db.session.commit()
    return is_named


def expect_object(share: Share | LiveShare) -> None:
    """Notes that an object is about to be written which may stay unnamed, also if this process dies."""
    later = func.coalesce(Share.cleanup_at, datetime.now(UTC) + GRACE)
    db.session.execute(update(Share).where(_is_live_row(share)).values(cleanup_at=later))
    db.session.commit()


def has_pending(share: LiveShare) -> bool:
    """Whether there are batches that the checkpoint lacks."""
    has_rows = exists().where(ShareEvent.share_id == share.share_id)
    return db.session.scalar(select(Share.share_id).where(_is_live_row(share), has_rows)) is not None


def read_state(share: LiveShare, since: int = 0) -> LogState:
    """The row of a share and its batches, as they are at this moment; only the rows from number `since` on.

    Raises ShareNotFound, or StorageError when a checkpoint deletes the batches each time.
    """
    query = (
        select(
            Share.session_id,
            Share.revision,
            Share.checkpoint,
            Share.synced_at,
            Share.document_bytes,
            Share.weight,
            ShareEvent.number,
            ShareEvent.received_at,
            ShareEvent.size,
        )
        .outerjoin(ShareEvent, (Share.share_id == ShareEvent.share_id) & (ShareEvent.number >= since))
        .where(_is_live_row(share))
        .order_by(ShareEvent.number)
    )
    for _ in range(ATTEMPTS):
        with db.engine.connect() as connection:
            rows = connection.execute(query).all()
            if not rows:
                raise ShareNotFound
            heads = [_RowHead(*row[6:]) for row in rows if row.number is not None]
            events = _read_events(connection, share, heads)
        if events is not None:
            session_id, revision, checkpoint, synced_at, document_bytes, weight = rows[0][:6]
            current = replace(share, revision=revision, checkpoint=checkpoint, synced_at=synced_at)
            return LogState(current, session_id, document_bytes, weight, events)
    raise StorageError("the session is checkpointed faster than it can be read")


class _RowHead(NamedTuple):
    number: int
    received_at: datetime
    size: int


def _read_events(connection: Connection, share: LiveShare, heads: Sequence[_RowHead]) -> list[Event] | None:
    """The batches of these rows; None if a row is gone by now. Few rows are in memory at a time."""
    events: list[Event] = []
    for some in _fetchable(heads):
        query = (
            select(ShareEvent.items)
            .where(ShareEvent.share_id == share.share_id)
            .where(ShareEvent.number.between(some[0].number, some[-1].number))
            .order_by(ShareEvent.number)
        )
        found = connection.scalars(query).all()
        if len(found) != len(some):
            return None
        for head, items in zip(some, found, strict=True):
            json = zstandard.decompress(items)
            if head.size == CONTINUED and events:
                events[-1].items.extend(json)
                events[-1] = events[-1]._replace(number=head.number)
            else:
                events.append(Event(head.number, head.received_at, bytearray(json)))
    return events


def _fetchable(heads: Iterable[_RowHead]) -> Iterator[list[_RowHead]]:
    """The rows in pieces that are fetched at once."""
    piece: list[_RowHead] = []
    size = 0
    for head in heads:
        row_size = min(head.size or ROW_BYTES, ROW_BYTES)
        if piece and size + row_size > FETCHED_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(head)
        size += row_size
    if piece:
        yield piece


def with_events(
    state: LogState, document: JSON, events: Sequence[Event], *, revision: int | None = None
) -> Callable[[], JSON]:
    """A document with batches of the log merged in; it gets the number of the last one, or `revision`.

    What it returns reads the document, after the caller has let go of what it is merged from. Raises
    UnreadableDocument.
    """
    header = header_after(state, events, revision)
    with as_unreadable():
        pieces = merge_batches(document, (event.items for event in events), header)
    return spool(pieces, SPOOLED_BYTES)


def header_after(state: LogState, events: Sequence[Event], revision: int | None = None) -> DocumentHeader:
    """The header of a document that has got these batches; with the number of the last one, or `revision`."""
    updated_at = events[-1].received_at if events else datetime.now(UTC)
    return DocumentHeader(
        share_id=state.share.share_id,
        session_id=state.session_id,
        created_at=state.share.created_ms,
        updated_at=epoch_milliseconds(updated_at),
        revision=revision or events[-1].number,
    )


def _is_live(share: Share | LiveShare) -> bool:
    return db.session.scalar(select(Share.share_id).where(_is_live_row(share))) is not None


def _is_live_row(share: Share | LiveShare) -> ColumnElement[bool]:
    """The row of this very share, as long as it was not deleted."""
    is_same = (Share.share_id == share.share_id) & (Share.created_at == share.created_at)
    return is_same & Share.deleted_at.is_(None)
