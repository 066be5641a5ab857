"""Takes sync batches, and writes checkpoints: documents with every batch of the event log merged in.

Nobody waits for a checkpoint. One is written when as much is pending as the document holds, so that over time
each byte is written twice, as a row and in a document; or when the session has gone quiet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from app.db.extensions import db
from app.db.locks import advisory_lock
from app.db.models import Share, ShareEvent
from app.opencode import (
    JSON,
    MAX_WEIGHT,
    UnreadableDocument,
    describe_document,
    read_conversation,
)
from app.services.documents import event_log
from app.services.documents.batch import Batch
from app.services.documents.synced_document import SyncedDocument
from app.services.shares.descriptions import Descriptions
from app.services.shares.errors import RevisionConflict, ShareError
from app.services.shares.live_shares import LiveShares
from app.storage import StorageError

# Less than this waits until the session is quiet.
MIN_BYTES = 1024 * 1024
QUIET = timedelta(minutes=10)
# Upper bound of what a document adds beside the session and its messages: ids, times, revision.
HEADER_BYTES = 1000
# Where messages of OpenCode 2 come into a session of OpenCode 1, its parts stay as `{"type":"part","data":}`.
ITEM_BYTES = 23

logger = logging.getLogger(__name__)


class SessionTooLarge(Exception):
    """A session would become more than can be read here; the text is a sentence that says in what way."""


class Checkpointer:
    """Keeps the documents of synced shares near their event logs, none over `max_bytes`."""

    def __init__(
        self, live_shares: LiveShares, synced: SyncedDocument, descriptions: Descriptions, max_bytes: int
    ) -> None:
        self._live_shares = live_shares
        self._synced = synced
        self._descriptions = descriptions
        self._max_bytes = max_bytes

    def append(self, share: Share, batch: Batch, base: int | None = None) -> None:
        """Stores a batch for good, if the session can be read with it; with a `base`, only after it.

        Size and weight tell that for nearly every batch. Only close to the limits everything is merged and
        read to see. Raises SessionTooLarge, ShareError (RevisionConflict with a `base`), UnreadableDocument
        or StorageError.
        """
        # Detached, because its attributes are read after the commits below.
        if share in db.session:
            db.session.expunge(share)
        if self._append_if_room(share, batch, base):
            return
        with advisory_lock(share.share_id) as is_acquired:
            if not is_acquired:
                raise StorageError("the session is being checkpointed; this takes a moment")
            self._checkpoint(share.share_id)
            if self._append_if_room(share, batch, base):
                return
            # Another batch may arrive between the check and the append: then both are repeated.
            while not event_log.append_if_unchanged(share, batch, self._check_size(share, batch)):
                _check_revision(share, base)

    def due(self) -> list[str]:
        """The ids of shares whose checkpoint is due: much is pending, or something for QUIET."""
        return _due(datetime.now(UTC) - QUIET)

    def run_or_log(self, share_id: str) -> None:
        """As `checkpoint`, for a caller to whom it is no failure if the checkpoint has to wait."""
        try:
            self.checkpoint(share_id)
        except (ShareError, UnreadableDocument):
            return
        except StorageError as error:
            logger.warning("the checkpoint of share %s failed and will be tried again: %s", share_id, error)

    def checkpoint(self, share_id: str) -> None:
        """Writes the checkpoint of a share, unless another process is doing so.

        Raises ShareError, UnreadableDocument or StorageError.
        """
        with advisory_lock(share_id) as is_acquired:
            if is_acquired:
                self._checkpoint(share_id)

    def _append_if_room(self, share: Share, batch: Batch, base: int | None) -> bool:
        condition = self._has_room(batch)
        if base is not None:
            condition &= Share.revision == base
        if event_log.append_if(share, batch, condition):
            return True
        _check_revision(share, base)
        return False

    def _has_room(self, batch: Batch) -> ColumnElement[bool]:
        """Condition on the row of a share: its document can surely be read with the batch in it."""
        weight = Share.weight + batch.weight
        size = Share.document_bytes + Share.pending_bytes + batch.size + weight * ITEM_BYTES
        return (size <= self._max_bytes - HEADER_BYTES) & (weight <= MAX_WEIGHT)

    def _check_size(self, share: Share, batch: Batch) -> int:
        """The revision of a share that the batch can follow. Raises SessionTooLarge."""
        try:
            revision, read = self._grown(share, batch)
            grown = read()
            if len(grown) > self._max_bytes:
                raise SessionTooLarge(f"A session may have at most {self._max_bytes:,} bytes.")
            read_conversation(grown).release()
        except UnreadableDocument as error:
            raise SessionTooLarge(str(error)) from None
        return revision

    def _grown(self, share: Share, batch: Batch) -> tuple[int, Callable[[], JSON]]:
        """The revision of a share, and its document with the batch, to be read when both are freed."""
        state, document = self._synced.merge(self._live_shares.get(share.share_id))
        event = event_log.Event(state.share.revision + batch.row_count, datetime.now(UTC), batch.json())
        return state.share.revision, event_log.with_events(state, document, [event])

    def _checkpoint(self, share_id: str) -> None:
        """Writes a checkpoint, if the log has anything. A lock saves work here, and decides nothing."""
        share = self._live_shares.get(share_id)
        if event_log.has_pending(share):
            state, document = self._synced.merge(share)
            self._synced.write_checkpoint(state, document)
            # What cannot be read has its checkpoint all the same.
            with suppress(UnreadableDocument):
                self._descriptions.replace(share, describe_document(document))


def _check_revision(share: Share, base: int | None) -> None:
    if base is None:
        return
    revision = event_log.revision_of(share)
    if revision != base:
        raise RevisionConflict(revision)


def _due(quiet_since: datetime) -> list[str]:
    """The live shares with enough pending, or with something pending and quiet since then."""
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
