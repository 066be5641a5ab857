"""Compares rows and objects, as after a restore of one of them, and brings them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import select, update

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.services.documents.synced_document import SyncedDocument
from app.services.shares.live_share import LiveShare
from app.services.shares.object_cleanup import ObjectCleanup, named_keys
from app.storage import (
    ObjectInfo,
    ObjectStore,
    document_key,
    object_key,
    revision_of_checkpoint,
    share_id_of,
)

ROWS_PER_FETCH = 1000


class Difference(NamedTuple):
    """Something that does not fit: a sentence, and whether `repair` can mend it."""

    share_id: str
    sentence: str
    is_repairable: bool = True


class Consistency:
    """Looks at all shares of a server. It may run at the same time, unless something is to be repaired."""

    def __init__(self, store: ObjectStore, synced: SyncedDocument, cleanup: ObjectCleanup) -> None:
        self._store = store
        self._synced = synced
        self._cleanup = cleanup

    def differences(self, objects: Iterable[ObjectInfo]) -> Iterator[Difference]:
        """What does not fit, given the listing of the store."""
        stored: dict[str, set[str]] = defaultdict(set)
        for info in objects:
            if share_id := share_id_of(info.key):
                stored[share_id].add(info.key)
        rows = select(Share).order_by(Share.share_id).execution_options(yield_per=ROWS_PER_FETCH)
        for share in db.session.scalars(rows):
            sentence = _difference(share, stored.pop(share.share_id, set()))
            if sentence:
                yield Difference(share.share_id, sentence)
        for share_id in sorted(stored):
            sentence = "There are objects in the storage, and no row; 'flask shares sweep' removes them."
            yield Difference(share_id, sentence, is_repairable=False)

    def repair(self, share_id: str) -> None:
        """Makes the newest state that can be proved the current one. Raises as `SyncedDocument.merge`."""
        share = db.session.get_one(Share, share_id)
        if share.deleted_at:
            self._cleanup.run(share_id)
        else:
            self._synced.repair(LiveShare.from_row(share_id, share.created_at, share.last_link_at))

    def write_back(self, share_id: str) -> None:
        """Stores the checkpoint of a share where releases before 0.2 look for it. Raises StorageError.

        A downgrade that was refused may have taken columns away already, so no others are read.
        """
        is_share = Share.share_id == share_id
        checkpoint = db.session.scalar(select(Share.checkpoint).where(is_share))
        if checkpoint is None:
            return
        self._synced.copy(object_key(share_id, checkpoint), document_key(share_id))
        db.session.execute(update(Share).where(is_share).values(checkpoint=None))
        db.session.commit()


def _difference(share: Share, keys: set[str]) -> str | None:
    if share.deleted_at:
        return "It is deleted, and has objects in the storage." if keys else None
    if not share.revision:
        return None
    newest = max((revision_of_checkpoint(key) or 0 for key in keys), default=0)
    used = revision_of_checkpoint(named_keys(share)[0]) or 0
    if newest > share.revision:
        return f"The database knows {share.revision} syncs, and the storage {newest}."
    if share.checkpoint and named_keys(share)[0] not in keys:
        return "Its checkpoint is not in the storage."
    if newest > used:
        return "The storage has a newer checkpoint than the one that is used."
    if not share.checkpoint:
        return None
    count = db.session.query(ShareEvent).filter_by(share_id=share.share_id).count()
    missing = share.revision - used - count
    return f"{missing} syncs after its checkpoint are missing." if missing else None
