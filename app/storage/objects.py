"""What a store of documents promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

CONTENT_TYPE = "application/json"
CACHE_CONTROL = "private, no-store"
# What the keys of documents begin with.
FOLDER = "sessions/"
# How the disk store calls what has not arrived whole.
DRAFT = ".upload-"


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
class Listed:
    """An object in a listing: `size` in bytes, and when it was last written."""

    key: str
    size: int
    changed_at: datetime


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

    def objects(self, beginning: str = FOLDER) -> Iterator[Listed]:
        """Every object whose key begins so, listed piece by piece while the store is in use."""

    def delete(self, key: str) -> None:
        """Removes the object; that it is gone already is no error."""

    def prepare(self) -> None:
        """Makes ready what the first call would have to make; reaches nothing yet."""

    def check(self) -> None:
        """Raises StorageError when the store does not answer."""


def document_key(share_id: str) -> str:
    """The key under which the document of a share is stored."""
    return f"{FOLDER}{share_id}.json"


def share_of(key: str) -> str | None:
    """The id of the share whose document has this key; None for any other object."""
    found = re.fullmatch(rf"{FOLDER}([^/]+)\.json", key)
    return found and found[1]


def is_draft(key: str) -> bool:
    """Whether the object is an upload that has not arrived whole."""
    return key.rpartition("/")[2].startswith(DRAFT)


def upload_headers(size: int | None, encoding: str | None) -> dict[str, str]:
    """The headers that an upload must send, as both stores bind them."""
    headers = {"Content-Type": CONTENT_TYPE}
    if encoding:
        headers["Content-Encoding"] = encoding
    if size is not None:
        headers["Content-Length"] = str(size)
    return headers
