"""One share from its creation on, as those see it who know nothing of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

# How long an upload link works.
LINK_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Life:
    """`links_end` is when the last upload link issued for the share expires.

    `revision` numbers the last batch that came by OpenCode's own protocol; 0 before any, and for uploads.
    """

    share_id: str
    created_at: datetime
    links_end: datetime
    revision: int = 0

    @cached_property
    def name(self) -> str:
        """Tells this life from another one under the same id."""
        return f"{self.share_id}.{self.created_ms}"

    @property
    def created_ms(self) -> int:
        """When it was created, in epoch milliseconds."""
        return round(self.created_at.timestamp() * 1000)

    @staticmethod
    def of(share_id: str, created_at: datetime, last_link_at: datetime, revision: int = 0) -> Life:
        """The life in a row of the database."""
        return Life(share_id, created_at, last_link_at + LINK_LIFETIME, revision)
