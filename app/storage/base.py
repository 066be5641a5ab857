"""What a store of documents promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

CONTENT_TYPE = "application/json"
CACHE_CONTROL = "private, no-store"


class StorageError(Exception):
    """The store could not be reached or gave an answer that makes no sense; trying again may help."""


class Body(Protocol):
    """The bytes of a stored object, read piece by piece."""

    def read(self, amount: int, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class StoredObject:
    """An object as found: `size` in bytes; `body` is None when the caller holds this `etag` already."""

    etag: str
    size: int
    body: Body | None


@dataclass(frozen=True)
class UploadLink:
    """A link that takes one PUT, with exactly these headers."""

    url: str
    headers: dict[str, str]


class ObjectStore(Protocol):
    """A place for documents. Every method raises StorageError when the place cannot be reached."""

    def presign_upload(
        self, key: str, *, size: int | None, encoding: str | None, lifetime: int
    ) -> UploadLink:
        """A link for uploading `key` that works for `lifetime` seconds.

        It binds the method, the key, the content type and encoding and, where given, the `size` in bytes.
        """

    def put(self, key: str, data: bytes, *, encoding: str | None) -> str:
        """Stores an object whole, in place of what was there; gives back its etag."""

    def open(self, key: str, etag: str | None = None) -> StoredObject | None:
        """The object, without its body when it still has `etag`; None when there is none."""

    def delete(self, key: str) -> None:
        """Removes the object; that it is gone already is no error."""

    def check(self) -> None:
        """Raises StorageError when the store does not answer."""


def document_key(share_id: str) -> str:
    """The key under which the document of a share is stored."""
    return f"sessions/{share_id}.json"


def upload_headers(size: int | None, encoding: str | None) -> dict[str, str]:
    """The headers that an upload must send, as both stores bind them."""
    headers = {"Content-Type": CONTENT_TYPE}
    if encoding:
        headers["Content-Encoding"] = encoding
    if size is not None:
        headers["Content-Length"] = str(size)
    return headers
