"""A read-only view of a live share's row, detached from the ORM session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

UPLOAD_LINK_LIFETIME = timedelta(hours=1)
# An upload that began before its link expired may still be under way for this long.
UPLOAD_GRACE_SECONDS = 600


@dataclass(frozen=True)
class LiveShare:
    """A share that was neither deleted nor has expired.

    `uploads_end_at` is when the last upload link issued for it expires. `revision` numbers the last sync
    batch of OpenCode's own protocol: 0 before the first one, and for uploads.
    """

    share_id: str
    created_at: datetime
    uploads_end_at: datetime
    revision: int = 0

    @classmethod
    def from_row(
        cls, share_id: str, created_at: datetime, last_link_at: datetime, revision: int = 0
    ) -> LiveShare:
        return cls(share_id, created_at, last_link_at + UPLOAD_LINK_LIFETIME, revision)

    @cached_property
    def cache_key(self) -> str:
        """`<share_id>.<created_ms>`: a share that takes over an id gets another key."""
        return f"{self.share_id}.{self.created_ms}"

    @property
    def created_ms(self) -> int:
        """Creation time in epoch milliseconds."""
        return round(self.created_at.timestamp() * 1000)

    @property
    def settles_at(self) -> float:
        """When an upload can no longer change the document, in epoch seconds."""
        return self.uploads_end_at.timestamp() + UPLOAD_GRACE_SECONDS

    @property
    def synced_etag(self) -> str:
        """ETag of a document made from sync batches: the same revision is the same document on every host."""
        return f"{self.created_ms}-{self.revision}"
