"""Fills in title, project and size of shares that nobody has opened since rows have these columns."""

from __future__ import annotations

from collections.abc import Iterator

from app.db.models import Share
from app.opencode import UnreadableDocument, describe_document
from app.services.documents.service import Documents
from app.services.shares.descriptions import IS_UNREAD, Descriptions
from app.services.shares.errors import ShareError
from app.services.shares.inventory import ShareIds
from app.services.shares.live_shares import LiveShares

UNREAD = ShareIds(Share.deleted_at.is_(None), IS_UNREAD)


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
        return len(UNREAD)

    def __iter__(self) -> Iterator[str]:
        """Fills in share after share and yields their ids. Raises StorageError."""
        for share_id in UNREAD:
            self._fill(share_id)
            yield share_id

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
