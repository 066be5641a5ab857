"""Looks up live shares, which every page and request for a document does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

from sqlalchemy import bindparam, select

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.models import Share
from app.services.access.audiences import Audiences
from app.services.shares.errors import ShareExpired, ShareNotFound
from app.services.shares.expiry import Expiry
from app.services.shares.live_share import LiveShare
from app.services.shares.recent import RecentShares
from app.services.shares.share_ids import is_share_id
from config import Audience

MAX_ROWS = 1024
# SQLite accepts some ten thousand values in a statement.
MAX_IDS_PER_QUERY = 1000

# The hot query of every page: compiled once and without the ORM it costs a third.
ROW = select(
    Share.share_id,
    Share.created_at,
    Share.last_link_at,
    Share.expires_at,
    Share.revision,
    Share.checkpoint,
    Share.synced_at,
    Share.audience,
    Share.password,
    Share.secret,
    Share.custom_title,
    Share.member,
    Share.plugin_missing_at,
)
LIVE_ROW = ROW.where(Share.share_id == bindparam("share_id"), Share.deleted_at.is_(None))


class LiveShares:
    """The shares that were neither deleted nor have expired, by the rules of the server."""

    def __init__(
        self, connection: AutocommitConnection, expiry: Expiry, audiences: Audiences, recent: RecentShares
    ) -> None:
        self._connection = connection
        self._expiry = expiry
        self._audiences = audiences
        self._recent = recent
        # The row of a share that is read a lot rarely changes, and what is computed from it is kept with it.
        self._live_share = lru_cache(MAX_ROWS)(self._read_row)

    def get(self, share_id: str) -> LiveShare:
        """The live share with this id. Raises ShareNotFound or ShareExpired."""
        if not is_share_id(share_id):
            raise ShareNotFound
        row = self._connection.first(LIVE_ROW, {"share_id": share_id})
        if row is None:
            raise ShareNotFound
        share = self._live_share(*row)
        if share.has_expired:
            raise ShareExpired
        self._recent.add(share)
        return share

    def cache_keys(self, cache_keys: Collection[str]) -> set[str]:
        """Those of the cache keys whose shares are live."""
        ids = sorted({key.rpartition(".")[0] for key in cache_keys})
        live: set[str] = set()
        for start in range(0, len(ids), MAX_IDS_PER_QUERY):
            some = Share.share_id.in_(ids[start : start + MAX_IDS_PER_QUERY])
            rows = db.session.execute(ROW.where(some, Share.deleted_at.is_(None)))
            shares = (self._live_share(*row) for row in rows)
            live |= {share.cache_key for share in shares if not share.has_expired}
        return live

    def _read_row(
        self,
        share_id: str,
        created_at: datetime,
        last_link_at: datetime,
        requested_expiry: datetime | None,
        revision: int,
        checkpoint: str | None,
        synced_at: datetime | None,
        audience: Audience | None,
        password_hash: str | None,
        secret_hash: str,
        custom_title: str | None,
        member: str | None,
        plugin_missing_at: datetime | None,
    ) -> LiveShare:
        expires_at = self._expiry.of(created_at, requested_expiry)
        audience = self._audiences.of(audience)
        versions = (revision, checkpoint, synced_at)
        access = (audience, password_hash, secret_hash)
        times = (created_at, last_link_at, expires_at)
        others = (custom_title, member, plugin_missing_at)
        return LiveShare.from_row(share_id, *times, *versions, *access, *others)
