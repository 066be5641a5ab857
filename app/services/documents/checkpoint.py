"""Takes the batches of OpenCode's own protocol, and folds them into the stored documents, now and then.

Nobody waits for the folding: readers get what is not folded merged in. A document is written anew when as
much waits for it as it holds, so that over time each byte of a batch is written twice, as a row and in a
document; or when its session has gone quiet.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, func, select

from app.db.extensions import db
from app.db.locks import turn
from app.db.models import Share, ShareEvent
from app.opencode import (
    MAX_WEIGHT,
    Item,
    UnreadableDocument,
    read_conversation,
    weight_of,
    weight_of_document,
)
from app.services.documents import event_log
from app.services.documents.service import Documents
from app.services.shares.service import ShareError, Shares
from app.storage import ObjectStore, StorageError, document_key

# Less than this waits until the session is quiet.
MIN_BYTES = 1024 * 1024
QUIET = timedelta(minutes=10)
GZIP_LEVEL = 3
# A document says no more than this of itself.
HEAD_BYTES = 1000
# Where messages of OpenCode 2 come into a session of OpenCode 1, its parts stay as `{"type":"part","data":}`.
ITEM_BYTES = 23

logger = logging.getLogger(__name__)


class SessionTooLarge(Exception):
    """A session would become more than can be read here; the text is a sentence that says in what way."""


class Folding:
    """Keeps the documents of native shares in `store` near what their batches say, none over `max_bytes`."""

    def __init__(self, store: ObjectStore, shares: Shares, documents: Documents, max_bytes: int) -> None:
        self._store = store
        self._shares = shares
        self._documents = documents
        self._max_bytes = max_bytes

    def append(self, share: Share, items: Sequence[Item]) -> None:
        """Notes a batch for good, if the session can be read with it.

        Only where size and weight do not tell, everything is merged and read to see. Raises SessionTooLarge,
        and as `fold`.
        """
        batch = event_log.Batch(msgspec.json.encode(items), weight_of(items))
        # It has to say whose the batch is also when its row has changed, or gone.
        db.session.expunge(share)
        if event_log.append(share, batch, self._has_room(batch)):
            return
        with turn(share.share_id, wait=True):
            self._fold(share.share_id)
            if event_log.append(share, batch, self._has_room(batch)):
                return
            # What came since the check is in no document that was checked.
            while not event_log.append(share, batch, Share.revision == self._checked(share, batch)):
                continue

    def _has_room(self, batch: event_log.Batch) -> ColumnElement[bool]:
        """What holds for a share whose document can surely be read with the batch in it."""
        weight = Share.weight + batch.weight
        size = Share.document_bytes + Share.pending_bytes + len(batch.items) + weight * ITEM_BYTES
        return (size <= self._max_bytes - HEAD_BYTES) & (weight <= MAX_WEIGHT)

    def _checked(self, share: Share, batch: event_log.Batch) -> int:
        """The revision of a share that the batch can follow on. Raises SessionTooLarge."""
        life = self._shares.life(share.share_id)
        document = self._documents.newest_json(life) if life.revision else event_log.NONE
        event = event_log.Event(share.session_id, life.revision + 1, datetime.now(UTC), batch.items)
        try:
            grown = event_log.with_events(life, document, [event])
            if len(grown) > self._max_bytes:
                raise SessionTooLarge(f"A session may have at most {self._max_bytes:,} bytes.")
            read_conversation(grown)
        except UnreadableDocument as error:
            raise SessionTooLarge(str(error)) from None
        return life.revision

    def fold_due(self) -> None:
        """Folds what is due, each share on one machine only; one that fails does not hold up the others."""
        for share_id in _due(datetime.now(UTC) - QUIET):
            try:
                self.fold(share_id)
            except (ShareError, UnreadableDocument):
                continue
            except StorageError as error:
                logger.warning(
                    "the session of share %s could not be folded and will be tried again: %s", share_id, error
                )

    def fold(self, share_id: str) -> None:
        """Stores the document with every batch in it, unless another does so just now.

        Raises ShareError, UnreadableDocument or StorageError.
        """
        with turn(share_id, wait=False) as is_mine:
            if is_mine:
                self._fold(share_id)

    def _fold(self, share_id: str) -> None:
        pending = event_log.pending(self._shares.life(share_id))
        if pending is None:
            return
        life, weight = pending
        json = self._documents.newest_json(life)
        packed = zlib.compress(json, GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
        self._store.put(document_key(share_id), packed, encoding="gzip")
        if not event_log.settle(life, len(json), lighter_by=weight - weight_of_document(json)):
            # Deleted meanwhile, and what was stored may have come after the delete.
            self._store.delete(document_key(share_id))


def _due(quiet_since: datetime) -> list[str]:
    """The live shares with enough to fold, or with something and quiet since then."""
    waiting = (
        select(ShareEvent.share_id, func.max(ShareEvent.received_at).label("newest"))
        .group_by(ShareEvent.share_id)
        .subquery()
    )
    is_much = (Share.pending_bytes >= Share.document_bytes) & (Share.pending_bytes >= MIN_BYTES)
    due = (
        select(Share.share_id)
        .join(waiting, waiting.c.share_id == Share.share_id)
        .where(Share.deleted_at.is_(None), is_much | (waiting.c.newest < quiet_since))
    )
    return list(db.session.scalars(due))
