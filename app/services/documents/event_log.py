"""The batches of OpenCode's own protocol: each a row, numbered by its share, until its document has them.

A row costs what the batch weighs, however large the session is. A reader gets the document with the rows that
are not in it merged in, so that nothing has to be written for a change to be seen.
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
from app.opencode import JSON, Head, merged, refusals, revision_of
from app.services.shares.live_share import Life
from app.services.shares.service import ShareNotFound
from app.storage import StorageError

# The document of a share to which nothing has come yet.
NONE = b"{}"
# A document is read again when the rows it lacks have gone, because they are in a newer one.
ATTEMPTS = 3


class Batch(NamedTuple):
    """What a sync brings: `items`, a JSON list, and what they weigh (app.session.weight)."""

    items: bytes
    weight: int


class Event(NamedTuple):
    """One batch, `items`, a JSON list, of the session `session_id`."""

    session_id: str
    number: int
    received_at: datetime
    items: bytes


def append(share: Share, batch: Batch, condition: ColumnElement[bool]) -> bool:
    """Notes a batch for good if `condition` holds for its share; whether it did.

    Raises ShareNotFound if the share was just deleted.
    """
    items = zstandard.compress(batch.items)
    size = len(batch.items)
    # Whoever counts up first holds the row until its batch is in, so numbers and order of arrival are one.
    counted = (
        update(Share)
        .where(_row(share), condition)
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


def settle(life: Life, document_bytes: int, lighter_by: int) -> bool:
    """Drops the rows that are in the stored document of this size; False when the share is gone.

    It is lighter now than it and the rows were said to be.
    """
    merged_rows = (ShareEvent.share_id == life.share_id) & (ShareEvent.number <= life.revision)
    merged_bytes = select(func.coalesce(func.sum(ShareEvent.size), 0)).where(merged_rows).scalar_subquery()
    noted = (
        update(Share)
        .where(_row(life))
        .values(document_bytes=document_bytes, pending_bytes=Share.pending_bytes - merged_bytes)
        .values(weight=Share.weight - lighter_by)
        .returning(Share.share_id)
        .execution_options(synchronize_session=False)
    )
    is_live = db.session.scalar(noted) is not None
    if is_live:
        db.session.execute(delete(ShareEvent).where(merged_rows))
    db.session.commit()
    return is_live


def pending(life: Life) -> tuple[Life, int] | None:
    """The life as it is by now, with its weight, if it has rows that its stored document lacks."""
    rows = exists().where(ShareEvent.share_id == life.share_id)
    found = db.session.execute(select(Share.revision, Share.weight).where(_row(life), rows)).first()
    return found and (replace(life, revision=found.revision), found.weight)


def newest(life: Life, stored: Callable[[], JSON | None]) -> JSON:
    """The document of a share as of `life.revision`, made from what is `stored` and the rows that it lacks.

    A document that is newer than that is given as it is. Raises UnreadableDocument, StorageError, or
    ShareNotFound if the share was just deleted.
    """
    for _ in range(ATTEMPTS):
        document = stored() or NONE
        with refusals():
            revision = revision_of(document, life.created_ms)
        if revision >= life.revision:
            return document
        pending = _between(life, revision)
        if pending and pending[0].number == revision + 1:
            return with_events(life, document if revision else NONE, pending)
    if not _is_live(life):
        raise ShareNotFound
    raise StorageError("a document is older than the batches that wait for it")


def with_events(life: Life, document: JSON, events: list[Event]) -> bytes:
    """A document with batches in it that follow on it. Raises UnreadableDocument."""
    head = Head(
        share_id=life.share_id,
        session_id=events[-1].session_id,
        created_at=life.created_ms,
        updated_at=round(events[-1].received_at.timestamp() * 1000),
        revision=events[-1].number,
    )
    with refusals():
        return merged(document, (event.items for event in events), head)


def _between(life: Life, revision: int) -> list[Event]:
    """The rows after `revision` as far as `life` knows."""
    wanted = (
        select(Share.session_id, ShareEvent.number, ShareEvent.received_at, ShareEvent.items)
        .join(Share, Share.share_id == ShareEvent.share_id)
        .where(Share.share_id == life.share_id)
        .where(ShareEvent.number > revision, ShareEvent.number <= life.revision)
        .order_by(ShareEvent.number)
    )
    with db.engine.connect() as connection:
        rows = connection.execute(wanted).all()
    return [Event(row[0], row[1], row[2], zstandard.decompress(row[3])) for row in rows]


def _is_live(share: Share | Life) -> bool:
    row = select(Share.share_id).where(_row(share))
    return db.session.scalar(row) is not None


def _row(share: Share | Life) -> ColumnElement[bool]:
    """The row of a share, as long as it has not ended."""
    is_same = (Share.share_id == share.share_id) & (Share.created_at == share.created_at)
    return is_same & Share.deleted_at.is_(None)
