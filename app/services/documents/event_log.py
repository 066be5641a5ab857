"""The sync batches of OpenCode's own protocol: a write-ahead log in the database.

Each batch is a row, numbered by its share. A row costs what the batch brings, however large the session is.
Now and then the log is checkpointed: merged into the document in the store. Readers get the last checkpoint
with the later rows merged in, so a change is seen without writing a document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import zstandard
from sqlalchemy import ColumnElement, delete, exists, func, insert, select, update

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.opencode import JSON, DocumentHeader, as_unreadable, merge_batches, revision_of
from app.services.shares.errors import ShareNotFound
from app.services.shares.live_share import LiveShare
from app.storage import StorageError

EMPTY_DOCUMENT = b"{}"
# A checkpoint is read again when the rows after it are gone, because they are in a newer one.
ATTEMPTS = 3


class Batch(NamedTuple):
    """What one sync brings: a JSON list of `{type, data}`, and its weight (app.opencode.sync.weight)."""

    items: bytes
    weight: int


class Event(NamedTuple):
    """A stored batch of the session `session_id`; numbers count from 1."""

    session_id: str
    number: int
    received_at: datetime
    items: bytes


class Pending(NamedTuple):
    """A share with rows that its checkpoint lacks, as its row is by now."""

    share: LiveShare
    weight: int


def append_if(share: Share, batch: Batch, condition: ColumnElement[bool]) -> bool:
    """Stores a batch for good if `condition` holds for the row of its share. Returns whether it did.

    Raises ShareNotFound if the share was just deleted.
    """
    items = zstandard.compress(batch.items)
    size = len(batch.items)
    # Counting up locks the row until the batch is in, so numbers and order of arrival are the same.
    counted = (
        update(Share)
        .where(_is_live_row(share), condition)
        .values(revision=Share.revision + 1)
        .values(pending_bytes=Share.pending_bytes + size, weight=Share.weight + batch.weight)
        .returning(Share.revision)
        .execution_options(synchronize_session=False)
    )
    number = db.session.scalar(counted)
    if number is None:
        is_live = _is_live(share)
        db.session.commit()
        if is_live:
            return False
        raise ShareNotFound
    row = {"number": number, "received_at": datetime.now(UTC), "size": size, "items": items}
    db.session.execute(insert(ShareEvent).values(share_id=share.share_id, **row))
    db.session.commit()
    return True


def append_if_unchanged(share: Share, batch: Batch, revision: int) -> bool:
    """Stores a batch if no other came since `revision`: a compare and swap."""
    return append_if(share, batch, Share.revision == revision)


def truncate(share: LiveShare, document_bytes: int, lighter_by: int) -> bool:
    """Deletes the rows up to `share.revision`, which a checkpoint of `document_bytes` has now.

    `lighter_by` is how much less the document weighs than the row says. Returns False when the share is gone.
    """
    covered = (ShareEvent.share_id == share.share_id) & (ShareEvent.number <= share.revision)
    covered_bytes = select(func.coalesce(func.sum(ShareEvent.size), 0)).where(covered).scalar_subquery()
    updated = (
        update(Share)
        .where(_is_live_row(share))
        .values(document_bytes=document_bytes, pending_bytes=Share.pending_bytes - covered_bytes)
        .values(weight=Share.weight - lighter_by)
        .returning(Share.share_id)
        .execution_options(synchronize_session=False)
    )
    is_live = db.session.scalar(updated) is not None
    if is_live:
        db.session.execute(delete(ShareEvent).where(covered))
    db.session.commit()
    return is_live


def pending(share: LiveShare) -> Pending | None:
    """The share as it is by now, if it has rows that its checkpoint lacks."""
    has_rows = exists().where(ShareEvent.share_id == share.share_id)
    query = select(Share.revision, Share.weight).where(_is_live_row(share), has_rows)
    row = db.session.execute(query).first()
    return Pending(replace(share, revision=row.revision), row.weight) if row else None


def load_document(share: LiveShare, read_checkpoint: Callable[[str], JSON | None]) -> JSON:
    """The document as of `share.revision`; a checkpoint that is newer is returned as it is.

    `read_checkpoint` takes the share's id. Raises UnreadableDocument, StorageError, or ShareNotFound if the
    share was just deleted.
    """
    for _ in range(ATTEMPTS):
        checkpoint = read_checkpoint(share.share_id) or EMPTY_DOCUMENT
        with as_unreadable():
            revision = revision_of(checkpoint, share.created_ms)
        if revision >= share.revision:
            return checkpoint
        events = _events_after(share, revision)
        if events and events[0].number == revision + 1:
            return with_events(share, checkpoint if revision else EMPTY_DOCUMENT, events)
    if not _is_live(share):
        raise ShareNotFound
    raise StorageError("a checkpoint is older than the batches that follow it")


def with_events(share: LiveShare, document: JSON, events: list[Event]) -> bytes:
    """A document with the batches that follow it merged in. Raises UnreadableDocument."""
    header = DocumentHeader(
        share_id=share.share_id,
        session_id=events[-1].session_id,
        created_at=share.created_ms,
        updated_at=round(events[-1].received_at.timestamp() * 1000),
        revision=events[-1].number,
    )
    with as_unreadable():
        return merge_batches(document, (event.items for event in events), header)


def _events_after(share: LiveShare, revision: int) -> list[Event]:
    """The rows after `revision`, up to `share.revision`."""
    query = (
        select(Share.session_id, ShareEvent.number, ShareEvent.received_at, ShareEvent.items)
        .join(Share, Share.share_id == ShareEvent.share_id)
        .where(Share.share_id == share.share_id)
        .where(ShareEvent.number > revision, ShareEvent.number <= share.revision)
        .order_by(ShareEvent.number)
    )
    with db.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [Event(row[0], row[1], row[2], zstandard.decompress(row[3])) for row in rows]


def _is_live(share: Share | LiveShare) -> bool:
    return db.session.scalar(select(Share.share_id).where(_is_live_row(share))) is not None


def _is_live_row(share: Share | LiveShare) -> ColumnElement[bool]:
    """The row of this very share, as long as it was not deleted."""
    is_same = (Share.share_id == share.share_id) & (Share.created_at == share.created_at)
    return is_same & Share.deleted_at.is_(None)
