"""How long what the store said about a document stays good.

Only uploaded documents need it: clients PUT them straight to the store, which tells nobody. For a synced
document the row's revision says what is current.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from app.services.documents.cache import CachedVersion
from app.services.shares.live_share import LiveShare

# While a session may still grow: a large one is served stale and looked up in the background.
FRESH_SECONDS = 1
LARGE_FRESH_SECONDS = 20
LARGE_BYTES = 5 * 1024 * 1024
MAX_CHECKS = 10_000


class _Check(NamedTuple):
    """The version that the store called current, and when (epoch seconds)."""

    etag: str
    at: float


@dataclass
class Freshness:
    """What the store said last about each document, as this process knows it.

    `clock` gives epoch seconds. Documents of more than `large_bytes` stay fresh for `large_fresh_seconds`.
    """

    clock: Callable[[], float] = time.time
    fresh_seconds: float = FRESH_SECONDS
    large_fresh_seconds: float = LARGE_FRESH_SECONDS
    large_bytes: int = LARGE_BYTES
    _checks: OrderedDict[str, _Check] = field(default_factory=OrderedDict)

    def is_fresh(self, share: LiveShare, cached: CachedVersion) -> bool:
        """Whether a cached version may be served without asking the store.

        It may if the store was asked a moment ago, or after the last upload could have changed the document.
        """
        if share.revision:
            return cached.etag == share.synced_etag
        check = self._checks.get(share.cache_key)
        if check is None or check.etag != cached.etag:
            return False
        seconds = self.large_fresh_seconds if cached.size > self.large_bytes else self.fresh_seconds
        return check.at > share.settles_at or self.clock() - check.at < seconds

    def may_serve_stale(self, share: LiveShare, cached: CachedVersion) -> bool:
        """Whether readers get the cached version while the next one is fetched (RFC 5861)."""
        return cached.size > self.large_bytes and not share.revision

    def is_settled(self, share: LiveShare) -> bool:
        """Whether no upload can change the document any more."""
        return self.clock() >= share.settles_at

    def mark_checked(self, share: LiveShare, etag: str) -> None:
        """Notes that the store has just called this version current."""
        self._checks[share.cache_key] = _Check(etag, self.clock())
        self._checks.move_to_end(share.cache_key)
        if len(self._checks) > MAX_CHECKS:
            self._checks.popitem(last=False)

    def cache_keys(self) -> Collection[str]:
        return list(self._checks)

    def forget(self, cache_key: str) -> None:
        self._checks.pop(cache_key, None)
