"""Fills in title, project and size of shares that nobody has opened since rows have these columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from app.db.extensions import db
from app.db.models import Share
from app.opencode import UnreadableDocument, describe_document
from app.services.documents.service import Documents
from app.services.shares.descriptions import IS_UNREAD, Descriptions
from app.services.shares.errors import ShareError
from app.services.shares.live_shares import LiveShares

IDS_PER_QUERY = 1000
UNREAD = Share.deleted_at.is_(None), IS_UNREAD


class Backfill:
    """Goes through the live shares that lack any of them, one document at a time.

    It may be broken off, repeated, and run several times at once. `filled` and `unreadable` count.
    """

    def __init__(self, live_shares: LiveShares, documents: Documents, descriptions: Descriptions) -> None:
        self._live_shares = live_shares
        self._documents = documents
        self._descriptions = descriptions
        self.filled = 0
        self.unreadable = 0

    def __len__(self) -> int:
        return db.session.scalar(select(func.count()).select_from(Share).where(*UNREAD)) or 0

    def __iter__(self) -> Iterator[str]:
        """Fills in share after share and yields their ids. Raises StorageError."""
        last_id = ""
        while ids := self._ids_after(last_id):
            for share_id in ids:
                self._fill(share_id)
                yield share_id
            last_id = ids[-1]

    def _ids_after(self, last_id: str) -> Sequence[str]:
        query = select(Share.share_id).where(*UNREAD, Share.share_id > last_id)
        ids = db.session.scalars(query.order_by(Share.share_id).limit(IDS_PER_QUERY)).all()
        # No transaction is left open while documents are read.
        db.session.rollback()
        return ids

    def _fill(self, share_id: str) -> None:
        try:
            share = self._live_shares.get(share_id)
            document = self._documents.read(share)
            if document is not None:
                description = describe_document(document.json)
                upload_bytes = None if share.revision else len(document.json)
                self.filled += self._descriptions.fill(share, description, upload_bytes)
        except ShareError:
            return
        except UnreadableDocument:
            self.unreadable += 1
