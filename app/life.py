"""One share from its creation on, as those see it who know nothing of the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# How long an upload link works.
LINK_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Life:
    """`links_end` is when the last upload link issued for the share expires."""

    share_id: str
    created_at: datetime
    links_end: datetime

    @property
    def name(self) -> str:
        """Tells this life from another one under the same id."""
        return f"{self.share_id}.{round(self.created_at.timestamp() * 1000)}"

    @staticmethod
    def of(share_id: str, created_at: datetime, last_link_at: datetime) -> Life:
        """The life in a row of the database."""
        return Life(share_id, created_at, last_link_at + LINK_LIFETIME)
