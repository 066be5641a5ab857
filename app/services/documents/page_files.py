"""What the cache has of each version beside the document: pages, exports and rendered steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from app.services.documents.cache_files import CacheFiles
from app.services.documents.cache_size import evict_files, modified_at, size_on_disk
from app.services.documents.document_files import DOCUMENT_ENDINGS, short_version
from app.services.shares.live_share import LiveShare

STEPS = "steps."
# How much may be written for a share before its folder is measured again.
MEASURED_BYTES = 4 * 1024 * 1024


class PageFiles:
    """Such files among `files`, all of which can be made again.

    The folder of a share may have as much as `max_share_bytes` says; beyond that, the oldest are removed, but
    neither documents nor what is `kept`.
    """

    def __init__(
        self, files: CacheFiles, max_share_bytes: Callable[[LiveShare], int], kept: tuple[str, ...]
    ) -> None:
        self._files = files
        self._max_share_bytes = max_share_bytes
        self._kept = (*DOCUMENT_ENDINGS, *kept)
        self._written: dict[str, int] = {}

    def read(self, share: LiveShare, etag: str, name: str, max_seconds: float | None = None) -> bytes | None:
        """A page made from a version; `name` says which one, by what and in which encoding.

        None if it is older than `max_seconds`.
        """
        file = f"{short_version(etag)}.{name}"
        if (
            max_seconds is not None
            and abs(time.time() - modified_at(self._files.path(share, file))) > max_seconds
        ):
            return None
        return self._files.read(share, file)

    def map(self, share: LiveShare, etag: str, name: str) -> memoryview | None:
        """As `read`, mapped into memory instead."""
        return self._files.map(share, f"{short_version(etag)}.{name}")

    def write(self, share: LiveShare, etag: str, name: str, body: Iterable[bytes]) -> bool:
        """Saves a page, whose body comes in chunks. Returns whether there was room for it."""
        return self._write(share, f"{short_version(etag)}.{name}", body)

    def read_steps(self, share: LiveShare, name: str) -> bytes | None:
        """The rendered steps of a page, whichever version of the document they were made from."""
        return self._files.read(share, STEPS + name)

    def write_steps(self, share: LiveShare, name: str, steps: bytes) -> None:
        self._write(share, STEPS + name, [steps])

    def forget(self, cache_key: str) -> None:
        """Counts nothing any more for a share whose files are gone."""
        self._written.pop(cache_key, None)

    def _write(self, share: LiveShare, name: str, chunks: Iterable[bytes]) -> bool:
        if not self._files.write(share, name, chunks):
            return False
        written = self._written.get(share.cache_key, 0) + size_on_disk(self._files.path(share, name))
        if written > MEASURED_BYTES:
            written = 0
            folder = self._files.folder / share.cache_key
            evict_files(folder, self._max_share_bytes(share), self._may_go)
        self._written[share.cache_key] = written
        return True

    def _may_go(self, name: str) -> bool:
        """Whether a file can be made again from others; hidden ones are locks and drafts."""
        return not name.startswith(".") and not name.endswith(self._kept)
