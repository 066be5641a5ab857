"""Commits what a client uploaded beside the document of its share: changes, or a whole document.

The upload is an object of a name of its own, which nobody reads before it is committed. Changes go into the
event log, as a sync of OpenCode's own protocol does; a whole document becomes the checkpoint. Either counts
from its commit, and only if nothing else was committed since the revision that it was made from.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from typing import Literal

import msgspec
from msgspec import Raw

from app.db.models import Share
from app.opencode import (
    JSON,
    MAX_WEIGHT,
    UnreadableDocument,
    as_unreadable,
    description_of,
    header_of,
    read_conversation,
    require_spare_levels,
    validate_batch,
    weight_of_document,
)
from app.services.documents import event_log
from app.services.documents.batch import Batch
from app.services.documents.checkpoint import Checkpointer, SessionTooLarge
from app.services.documents.event_log import LogState
from app.services.documents.stored_document import StoredDocument, read_body, too_large
from app.services.shares.descriptions import Descriptions
from app.services.shares.errors import ObjectMissing, RevisionConflict, TooManyUploads
from app.services.shares.live_share import LiveShare
from app.storage import ObjectStore, object_key, objects_of

Kind = Literal["snapshot", "changes"]

NAME_BYTES = 8
# Of one share, until the cleanup deletes those that no row names.
MAX_OBJECTS = 100
OBJECT_NAME = r"(?:snapshot-\d{1,18}|changes)-[0-9a-f]{16}"


def object_name(kind: Kind, revision: int) -> str:
    """A new name for an upload that is to follow a revision."""
    following = f"-{revision + 1}" if kind == "snapshot" else ""
    return f"{kind}{following}-{secrets.token_hex(NAME_BYTES)}"


def kind_of_object(name: str) -> Kind:
    return "changes" if name.startswith("changes-") else "snapshot"


class Commits:
    """Commits objects in `store`, none of more than `max_bytes` as JSON."""

    def __init__(
        self, store: ObjectStore, checkpointer: Checkpointer, descriptions: Descriptions, max_bytes: int
    ) -> None:
        self._store = store
        self._checkpointer = checkpointer
        self._descriptions = descriptions
        self._max_bytes = max_bytes

    def commit(self, share: Share, live: LiveShare, name: str, base: int) -> int:
        """Commits the object `name` as what follows the revision `base`, and returns the new revision.

        Raises ShareError (RevisionConflict, ObjectMissing), UnreadableDocument, SessionTooLarge or
        StorageError.
        """
        if live.revision != base:
            raise RevisionConflict(live.revision)
        if kind_of_object(name) == "changes":
            return self._commit_changes(share, name, base)
        return self._commit_snapshot(share, live, name, base)

    def require_room(self, share: Share) -> None:
        """Raises TooManyUploads if much was uploaded and not committed, or StorageError."""
        if len(objects_of(self._store, share.share_id)) > MAX_OBJECTS:
            raise TooManyUploads

    def _commit_changes(self, share: Share, name: str, base: int) -> int:
        key = object_key(share.share_id, name)
        json = self._read(key)
        try:
            with as_unreadable():
                require_spare_levels(json if isinstance(json, bytearray) else bytearray(json))
            batch = Batch(validate_batch(Raw(json)))
        except msgspec.ValidationError as error:
            raise UnreadableDocument(f"The changes are not as expected: {error}.") from None
        self._checkpointer.append(share, batch, base)
        self._store.delete(key)
        return base + batch.row_count

    def _commit_snapshot(self, share: Share, live: LiveShare, name: str, base: int) -> int:
        """Makes the upload the checkpoint; one whose row has changed meanwhile stays for the cleanup."""
        revision = base + 1
        if not name.startswith(f"snapshot-{revision}-"):
            raise RevisionConflict(live.revision)
        json = self._read(object_key(share.share_id, name))
        with as_unreadable():
            header, weight = header_of(json), weight_of_document(json)
        if (header.created_at, header.revision) != (live.created_ms, revision):
            raise UnreadableDocument("The document does not have the 'createdAt' and 'revision' it is for.")
        if weight > MAX_WEIGHT:
            raise SessionTooLarge("The session has too many messages and parts.")
        conversation = read_conversation(json)
        conversation.release()
        state = LogState(live, share.session_id, share.document_bytes, share.weight, [])
        lighter_by = share.weight - weight
        if not event_log.commit_checkpoint(state, name, len(json), lighter_by, revision=revision):
            raise RevisionConflict(event_log.revision_of(live))
        self._descriptions.replace(live, description_of(conversation))
        return revision

    def _read(self, key: str) -> JSON:
        stored = self._store.open(key)
        if stored is None or stored.body is None:
            raise ObjectMissing
        with closing(stored.body) as body:
            if stored.size > self._max_bytes:
                raise too_large(self._max_bytes)
            return StoredDocument(stored.etag, read_body(body, self._max_bytes), self._max_bytes).json
