"""Commits what a client uploaded beside the document of its share: changes, or a whole document.

The upload is an object that nobody reads before it is committed, and never again. Changes go into the event
log, as a sync of OpenCode's own protocol does; a whole document becomes the checkpoint. Either counts from
its commit, and only if nothing else was committed since the revision that it was made from.

There is one object of each kind, so that a client cannot fill the store. Of two that overlap, the hash tells
which one is there.
"""

from __future__ import annotations

import hmac
import logging
from typing import Literal

import msgspec
from msgspec import Raw

from app.db.extensions import db
from app.db.models import Share
from app.lib.slots import Slots
from app.opencode import (
    MAX_WEIGHT,
    UnreadableDocument,
    as_unreadable,
    description_of,
    header_of,
    read_conversation,
    require_spare_levels,
    validate_batch,
    validate_snapshot,
    weight_of_document,
)
from app.services.documents import event_log
from app.services.documents.batch import Batch
from app.services.documents.checkpoint import Checkpointer, SessionTooLarge
from app.services.documents.event_log import LogState
from app.services.documents.sources import UploadedDocument, waiting_for_store
from app.services.documents.stored_document import StoredDocument
from app.services.documents.synced_document import SyncedDocument
from app.services.shares.descriptions import Descriptions
from app.services.shares.errors import ObjectMissing, RevisionConflict
from app.services.shares.live_share import LiveShare
from app.services.shares.object_cleanup import ObjectCleanup
from app.storage import ObjectStore, StorageError, object_key

Kind = Literal["snapshot", "changes"]

logger = logging.getLogger(__name__)


class Commits:
    """Commits objects in `store`. `slots` are for requests that wait for it."""

    def __init__(
        self,
        store: ObjectStore,
        slots: Slots,
        uploaded: UploadedDocument,
        synced: SyncedDocument,
        checkpointer: Checkpointer,
        descriptions: Descriptions,
        cleanup: ObjectCleanup,
    ) -> None:
        self._store = store
        self._slots = slots
        self._uploaded = uploaded
        self._synced = synced
        self._checkpointer = checkpointer
        self._descriptions = descriptions
        self._cleanup = cleanup

    def commit(self, share: Share, live: LiveShare, kind: Kind, sha256: str, base: int) -> int:
        """Commits what was uploaded last as what follows the revision `base`, and returns the new revision.

        `sha256` is that of its JSON. Raises ShareError (RevisionConflict, ObjectMissing), UnreadableDocument,
        SessionTooLarge or StorageError.
        """
        # Detached, so that no transaction is open while the store is waited for.
        db.session.expunge(share)
        db.session.rollback()
        if live.revision != base:
            raise RevisionConflict(live.revision)
        key = object_key(share.share_id, kind)
        with waiting_for_store(self._slots):
            uploaded = self._synced.read_object(key)
            if uploaded is None or not hmac.compare_digest(uploaded.sha256, sha256.lower()):
                raise ObjectMissing
            if kind == "changes":
                revision = self._commit_changes(share, live, uploaded)
            else:
                revision = self._commit_snapshot(share, live, uploaded)
        try:
            if kind == "snapshot":
                # It may be there to remove a secret, which may stand in all that was uploaded before.
                self._cleanup.delete_before(share.share_id, revision)
            else:
                self._store.delete(key)
        except StorageError as error:
            logger.warning("an object that was committed stays for now: %s", error)
        return revision

    def _commit_changes(self, share: Share, live: LiveShare, uploaded: StoredDocument) -> int:
        # There has to be a document that they change, and it must not be one that somebody else PUT.
        if not live.revision or self._uploaded.is_newer(live):
            raise RevisionConflict(live.revision)
        json = uploaded.json
        try:
            with as_unreadable():
                require_spare_levels(json if isinstance(json, bytearray) else bytearray(json))
            batch = Batch(validate_batch(Raw(json)))
        except msgspec.ValidationError as error:
            raise UnreadableDocument(f"The changes are not as expected: {error}.") from None
        self._checkpointer.append(share, batch, live.revision)
        return live.revision + batch.row_count

    def _commit_snapshot(self, share: Share, live: LiveShare, uploaded: StoredDocument) -> int:
        """Makes the upload the checkpoint."""
        revision = live.revision + 1
        json = uploaded.json
        with as_unreadable():
            validate_snapshot(json)
            header, weight = header_of(json), weight_of_document(json)
        if (header.created_at, header.revision) != (live.created_ms, revision):
            raise UnreadableDocument("The document does not have the 'createdAt' and 'revision' it is for.")
        if weight > MAX_WEIGHT:
            raise SessionTooLarge("The session has too many messages and parts.")
        conversation = read_conversation(json)
        conversation.release()
        state = LogState(live, share.session_id, share.document_bytes, share.weight, [])
        packed = bytes(uploaded.stored) if uploaded.is_gzip and uploaded.is_as_stored else None
        if not self._synced.write_checkpoint(state, json, revision=revision, packed=packed):
            raise RevisionConflict(event_log.revision_of(live))
        self._descriptions.replace(live, description_of(conversation))
        return revision
