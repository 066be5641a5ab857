"""The service container: what `create_app` built, for views and commands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol, cast

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from app.db.connection import AutocommitConnection
from app.http.response_cache import Version
from app.lib.disk_reserve import DiskReserve
from app.redaction.scanner import Scanner
from app.services.access.audiences import Audiences
from app.services.documents.cache import DocumentCache
from app.services.documents.checkpoint import Checkpointer
from app.services.documents.commits import Commits
from app.services.documents.freshness import Freshness
from app.services.documents.service import Documents
from app.services.documents.synced_document import SyncedDocument
from app.services.heavy_requests import HeavyRequests
from app.services.members.directory import Members
from app.services.members.openid import OpenIdProvider
from app.services.members.signing_key import Signing
from app.services.members.tokens import PersonalTokens
from app.services.shares.descriptions import Descriptions
from app.services.shares.errors import ShareError
from app.services.shares.live_shares import LiveShares
from app.services.shares.object_cleanup import ObjectCleanup
from app.services.shares.owned import OwnedShares
from app.services.shares.recent import RecentShares
from app.services.shares.service import Shares
from app.services.views import ViewCounter
from app.storage import ObjectStore
from config import Config

EXTENSION = "better_share"


class ShareCache(Protocol):
    """Something that holds what was made from shares, by `LiveShare.cache_key`."""

    def cache_keys(self) -> Collection[str]:
        """The keys of all shares of which it holds anything."""

    def forget(self, cache_key: str) -> None:
        """Drops everything of one share."""


@dataclass(frozen=True)
class Services:
    """The collaborators of one app; `caches` are emptied of shares that have ended.

    `provider` is None where people do not sign in at an OpenID provider.
    """

    config: Config
    connection: AutocommitConnection
    counters: AutocommitConnection
    store: ObjectStore
    shares: Shares
    live_shares: LiveShares
    owned_shares: OwnedShares
    audiences: Audiences
    descriptions: Descriptions
    freshness: Freshness
    cache: DocumentCache
    synced: SyncedDocument
    documents: Documents
    checkpointer: Checkpointer
    commits: Commits
    object_cleanup: ObjectCleanup
    recent: RecentShares
    reserve: DiskReserve
    scanner: Scanner
    heavy_requests: HeavyRequests
    members: Members
    personal_tokens: PersonalTokens
    signing: Signing
    provider: OpenIdProvider | None
    views: ViewCounter
    caches: list[ShareCache] = field(default_factory=list)

    def is_current(self, share_id: str, version: Version) -> bool:
        """Whether anybody may be served a response made from `version`; not if the database fails."""
        try:
            share = self.live_shares.get(share_id)
        except (ShareError, SQLAlchemyError):
            return False
        made_from = (version.cache_key, version.page_fields)
        if not share.is_public or (share.cache_key, share.page_fields) != made_from:
            return False
        return self.documents.is_current(share, version.etag)

    def cache_keys(self) -> set[str]:
        """The keys of all shares of which this process or its host holds anything."""
        return {key for cache in self.caches for key in cache.cache_keys()}

    def forget(self, cache_key: str) -> None:
        """Drops whatever this process and its host hold of a share."""
        for cache in self.caches:
            cache.forget(cache_key)


def services() -> Services:
    """The services of the current app."""
    return cast(Services, current_app.extensions[EXTENSION])
