"""What is known of a version of a document that is in the cache."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from app.opencode import DocumentIndex


class CachedVersion(msgspec.Struct, frozen=True):
    """A version of a document; `size` in bytes of JSON, 0 when it cannot be read.

    `checkpoint` is what the row of its share named when this was the current version, if that is known.
    """

    etag: str
    size: int
    checkpoint: str | None = None


@dataclass(frozen=True)
class CachedIndex:
    """A version and its index."""

    version: CachedVersion
    index: DocumentIndex
