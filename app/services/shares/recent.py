"""The shares whose rows this process has read lately, for readers while the database does not answer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from app.services.shares.live_share import LiveShare

# How long readers are served from the cache after the row was read last.
OUTAGE_SECONDS = 30
MAX_SHARES = 10_000


class RecentShares:
    """Remembers live shares for `seconds`. A share that is deleted on this host is forgotten at once."""

    def __init__(self, seconds: float = OUTAGE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._shares: OrderedDict[str, tuple[LiveShare, float]] = OrderedDict()

    def add(self, share: LiveShare) -> None:
        """Notes that the row of a share was read just now."""
        self._shares[share.share_id] = (share, self._clock())
        self._shares.move_to_end(share.share_id)
        if len(self._shares) > MAX_SHARES:
            self._shares.popitem(last=False)

    def get(self, share_id: str) -> LiveShare | None:
        """The share, if its row was read not long ago and it has not expired since."""
        share, read_at = self._shares.get(share_id, (None, 0.0))
        if share is None or share.has_expired or self._clock() - read_at > self._seconds:
            return None
        return share

    def cache_keys(self) -> Collection[str]:
        return {share.cache_key for share, _ in list(self._shares.values())}

    def forget(self, cache_key: str) -> None:
        self._shares.pop(cache_key.rpartition(".")[0], None)
