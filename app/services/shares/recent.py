"""The rows that this host has read lately, for readers while the database does not answer.

Each is a file `row` in the share's folder of the cache: all workers use it, and it goes with the folder
when the share is deleted on this host.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec

from app.lib.files import DamagedFile, read_checked, write_checked
from app.services.shares.live_share import LiveShare

ROW = "row"
# How long readers are served from the cache after the row was read last.
OUTAGE_SECONDS = 30
# A file that is younger than this is not written again.
WRITE_SECONDS = 5
MAX_SHARES = 10_000


class RecentShares:
    """The live shares whose rows were read in the last OUTAGE_SECONDS; `folder` is that of the cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written_at: dict[str, float] = {}

    def add(self, share: LiveShare) -> None:
        """Notes that the row of a share was read just now."""
        now = time.monotonic()
        if now - self._written_at.get(share.cache_key, -WRITE_SECONDS) < WRITE_SECONDS:
            return
        if len(self._written_at) >= MAX_SHARES:
            self._written_at.clear()
        folder = self._folder / share.cache_key
        # Without a folder nothing is cached that could be served.
        if not folder.is_dir():
            return
        self._written_at[share.cache_key] = now
        with suppress(OSError):
            write_checked(folder / ROW, [msgspec.json.encode(share)])

    def forget(self, share_id: str) -> None:
        """Lets no reader be served by what this host knew of a share's row."""
        for path in self._folder.glob(f"{share_id}.*/{ROW}"):
            with suppress(OSError):
                path.unlink()
            self._written_at.pop(path.parent.name, None)

    def get(self, share_id: str) -> LiveShare | None:
        """The share, if its row was read not long ago and it has not expired since."""
        for path in self._folder.glob(f"{share_id}.*/{ROW}"):
            with suppress(OSError, DamagedFile, msgspec.DecodeError):
                is_recent = abs(time.time() - path.stat().st_mtime) <= OUTAGE_SECONDS
                share = msgspec.json.decode(read_checked(path) or b"", type=LiveShare)
                if is_recent and not share.has_expired:
                    return share
        return None
