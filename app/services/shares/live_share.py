"""A read-only view of a live share's row, detached from the ORM session."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from app.db.models import LINK
from app.lib.epoch import epoch_milliseconds
from config import Audience

UPLOAD_LINK_LIFETIME = timedelta(hours=1)
# An upload that began before its link expired may still be under way for this long.
UPLOAD_GRACE_SECONDS = 600


@dataclass(frozen=True)
class LiveShare:
    """A share that was neither deleted nor has expired.

    `uploads_end_at` is when the last upload link issued for it expires. `revision` numbers what was synced or
    committed last, at `synced_at`, and `checkpoint` names the object that contains the first of it. These are
    0 and None before, and for uploads whose client commits nothing.

    `expires_at` is when it expires by the rule of the server. `audience` says who may read it
    (app.db.models.Audience); `password_hash` is that of its password, and `secret_hash` of its secret.
    `custom_title` is what its author calls it, None for the title of the session, and `member` whose share it
    is, None for nobody's. `plugin_missing_at` is when OpenCode first had changes and no plugin.
    """

    share_id: str
    created_at: datetime
    uploads_end_at: datetime
    expires_at: datetime | None = None
    revision: int = 0
    checkpoint: str | None = None
    synced_at: datetime | None = None
    audience: Audience = LINK
    password_hash: str | None = None
    secret_hash: str = ""
    custom_title: str | None = None
    member: str | None = None
    plugin_missing_at: datetime | None = None

    @classmethod
    def from_row(cls, share_id: str, created_at: datetime, last_link_at: datetime, *others: Any) -> LiveShare:
        """From the columns of a row; `others` are the fields from `expires_at` on, in their order."""
        return cls(share_id, created_at, last_link_at + UPLOAD_LINK_LIFETIME, *others)

    @property
    def is_public(self) -> bool:
        """Whether the link is all that a reader needs."""
        return self.audience == LINK

    @cached_property
    def cache_key(self) -> str:
        """`<share_id>.<created_ms>`: ids are never used twice, but a database may be restored."""
        return f"{self.share_id}.{self.created_ms}"

    @cached_property
    def created_ms(self) -> int:
        """Creation time in epoch milliseconds."""
        return epoch_milliseconds(self.created_at)

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)

    @property
    def last_link_at(self) -> datetime:
        return self.uploads_end_at - UPLOAD_LINK_LIFETIME

    @property
    def has_links(self) -> bool:
        """Whether upload links were issued since its creation: OpenCode's own protocol has none."""
        return self.last_link_at > self.created_at

    @cached_property
    def has_newer_link(self) -> bool:
        """Whether a link for the whole document was issued since the last commit."""
        return self.synced_at is not None and self.last_link_at > self.synced_at

    @cached_property
    def lacks_plugin(self) -> bool:
        """Whether the session goes on in an OpenCode that cannot upload it, because the plugin is gone."""
        last_change_at = max(self.last_link_at, self.synced_at or self.last_link_at)
        return self.plugin_missing_at is not None and self.plugin_missing_at > last_change_at

    @property
    def page_fields(self) -> tuple[str | None, bool]:
        """What pages show of the row of the share, beside its document."""
        return self.custom_title, self.lacks_plugin

    @property
    def settles_at(self) -> float:
        """When an upload can no longer change the document, in epoch seconds."""
        return self.uploads_end_at.timestamp() + UPLOAD_GRACE_SECONDS

    @cached_property
    def synced_etag(self) -> str:
        """ETag of a document made from sync batches: the same revision is the same document on every host.

        The time tells apart two batches of one number, when a restored database counts on from an earlier
        one.
        """
        time = f"-{round(self.synced_at.timestamp() * 1e6):x}" if self.synced_at else ""
        return f"{self.created_ms}-{self.revision}{time}"

    def revision_of(self, etag: str) -> int | None:
        """The revision of a document with this ETag; None unless it is that of a `synced_etag`."""
        match = self._match_etag(etag)
        return int(match[1]) if match else None

    def was_current(self, etag: str, since: float) -> bool:
        """Whether a version with this ETag was current at some time since then (epoch seconds).

        Not if the checkpoint is newer, and not if it is two revisions behind and older: when the first of
        them came is not known.
        """
        match = self._match_etag(etag)
        if match is None or self.synced_at is None:
            return False
        revision, synced_at = int(match[1]), int(match[2], 16) / 1e6
        if revision < int((self.checkpoint or "0").partition("-")[0]):
            return False
        ended_at = self.synced_at.timestamp() if revision + 1 == self.revision else synced_at
        return ended_at >= since

    def _match_etag(self, etag: str) -> re.Match[str] | None:
        return re.fullmatch(rf"{self.created_ms}-(\d+)-([0-9a-f]+)", etag)
