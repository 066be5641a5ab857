"""How long what the store said about a document stays good.

Clients PUT whole documents straight to the store, which tells nobody. For what is synced or committed, the
row's revision says what is current.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from app.services.documents.cached_version import CachedVersion
from app.services.shares.live_share import LiveShare

# While a session may still grow: a large one is served stale and looked up in the background.
FRESH_SECONDS = 1
LARGE_FRESH_SECONDS = 20
# Once no upload can be under way. Not for ever: the clock may be wrong.
SETTLED_FRESH_SECONDS = 60
LARGE_BYTES = 5 * 1024 * 1024
# How long ago a version may have been current that is served while the next one is merged.
MAX_STALE_SECONDS = 5
MAX_CHECKS = 10_000


class _Check(NamedTuple):
    """The version that the store called current, and when (seconds of a monotonic clock).

    `was_settled`: by the clock of then, no upload could change it any more.
    """

    etag: str
    at: float
    was_settled: bool


@dataclass
class Freshness:
    """What the store said last about each document, as this process knows it.

    `clock` gives epoch seconds, and may be set; `monotonic` gives seconds, and never goes back. Documents of
    more than `large_bytes` stay fresh for `large_fresh_seconds`, and for `settled_fresh_seconds` those that
    no upload can change any more, as far as the clock is right.
    """

    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    fresh_seconds: float = FRESH_SECONDS
    settled_fresh_seconds: float = SETTLED_FRESH_SECONDS
    large_fresh_seconds: float = LARGE_FRESH_SECONDS
    large_bytes: int = LARGE_BYTES
    _checks: OrderedDict[str, _Check] = field(default_factory=OrderedDict)

    def is_fresh(self, share: LiveShare, cached: CachedVersion) -> bool:
        """Whether a cached version may be served without asking the store.

        It may if the store was asked a moment ago.
        """
        if share.revision and not share.has_newer_link:
            return cached.etag == share.synced_etag
        check = self._checks.get(share.cache_key)
        if check is None or check.etag != cached.etag:
            return False
        return self.monotonic() - check.at < self._seconds(share, cached, check)

    def may_serve_stale(self, share: LiveShare, cached: CachedVersion) -> bool:
        """Whether readers get the cached version while the next one is fetched (RFC 5861).

        Not if this process knows a newer one, which could not be cached. Of what is synced or committed, only
        a version that was current in the last MAX_STALE_SECONDS, and not one from before a whole document was
        committed: that is how secrets are removed.
        """
        if cached.size <= self.large_bytes:
            return False
        if share.revision:
            return share.was_current(cached.etag, self.clock() - MAX_STALE_SECONDS)
        check = self._checks.get(share.cache_key)
        return check is None or check.etag == cached.etag

    def is_settled(self, share: LiveShare) -> bool:
        """Whether no upload can change the document any more."""
        return self.clock() >= share.settles_at

    def mark_checked(self, share: LiveShare, etag: str, asked_at: float) -> None:
        """Notes that the store called this version current when it was asked at `asked_at` (`monotonic`)."""
        self._checks[share.cache_key] = _Check(etag, asked_at, self.is_settled(share))
        self._checks.move_to_end(share.cache_key)
        if len(self._checks) > MAX_CHECKS:
            self._checks.popitem(last=False)

    def cache_keys(self) -> Collection[str]:
        return list(self._checks)

    def forget(self, cache_key: str) -> None:
        self._checks.pop(cache_key, None)

    def _seconds(self, share: LiveShare, cached: CachedVersion, check: _Check) -> float:
        if check.was_settled and self.is_settled(share):
            return self.settled_fresh_seconds
        return self.large_fresh_seconds if cached.size > self.large_bytes else self.fresh_seconds
