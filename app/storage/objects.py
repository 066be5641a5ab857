"""What a store of session documents offers, whichever it is, and how its objects are named.

sessions/<share id>.json                      the document of a share, as its client uploaded it
sessions/<share id>/<revision>-<random>.json  a whole document that the server wrote; never overwritten
sessions/<share id>/snapshot.json             a whole document that a client uploaded, until it is committed
sessions/<share id>/changes.json              changes that a client uploaded, until they are committed
sessions/<share id>/.upload-<random>          an upload to the disk store that has not arrived whole
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

CONTENT_TYPE = "application/json"
CACHE_CONTROL = "private, no-store"
# Every key begins with this.
PREFIX = "sessions/"
# How the disk store names uploads that have not arrived whole.
TEMPORARY_PREFIX = ".upload-"
# JSON cannot begin with the magic number of gzip (RFC 1952), so the bytes themselves tell the encoding.
GZIP_MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1024 * 1024


class StorageError(Exception):
    """The store could not be reached, or its answer makes no sense; trying again may help."""


class UploadRefused(Exception):
    """An upload does not match its link: an HTTP status, a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class Body(Protocol):
    """The bytes of a stored object, read in chunks."""

    def read(self, amount: int, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class StoredObject:
    """An object as it was found: `size` in bytes; `body` is None when the caller has this `etag` already.

    `modified_at` is None where the store does not say.
    """

    etag: str
    size: int
    body: Body | None
    modified_at: datetime | None = None


@dataclass(frozen=True)
class ObjectInfo:
    """An object in a listing: `size` in bytes, when it was written, and the `etag` of `StoredObject`."""

    key: str
    size: int
    modified_at: datetime
    etag: str


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

    def put(self, key: str, data: bytes, *, encoding: str | None, if_absent: bool = False) -> None:
        """Stores an object whole, in place of what was there.

        With `if_absent` it replaces nothing, where the store can promise that.
        """

    def open(self, key: str, etag: str | None = None) -> StoredObject | None:
        """The object, without its body if it still has `etag`; None if there is none."""

    def info(self, key: str) -> ObjectInfo | None:
        """Size and age of an object; None if there is none."""

    def list(self, prefix: str = PREFIX) -> Iterator[ObjectInfo]:
        """Every object whose key begins with `prefix`; the store may change meanwhile."""

    def delete(self, key: str) -> None:
        """Deletes the object; that it is gone already is no error."""

    def ignores_case(self) -> bool:
        """Whether keys that differ only in case are the same object."""

    def warm_up(self) -> None:
        """Creates what the first call would have to create; connects to nothing yet."""

    def check(self) -> None:
        """Raises StorageError when the store does not answer."""


def document_key(share_id: str) -> str:
    """The key of the document that a client uploads, and of checkpoints of releases before 0.2."""
    return f"{PREFIX}{share_id}.json"


def object_key(share_id: str, name: str) -> str:
    """The key of an object beside the document: a checkpoint, or what a client uploaded to be committed."""
    return f"{PREFIX}{share_id}/{name}.json"


def share_id_of(key: str) -> str | None:
    """The id of the share that an object belongs to; None for an object that this app did not create."""
    match = re.fullmatch(rf"{PREFIX}(?:([^/]+)\.json|([^/]+)/[^/]+)", key)
    return match and (match[1] or match[2])


def revision_of_checkpoint(key: str) -> int | None:
    """The revision that a checkpoint contains; None for the key of any other object."""
    match = re.fullmatch(rf"{PREFIX}[^/]+/(\d+)-[^/]+\.json", key)
    return int(match[1]) if match else None


def objects_of(store: ObjectStore, share_id: str) -> list[ObjectInfo]:
    """Everything that belongs to a share. Raises StorageError."""
    document = store.info(document_key(share_id))
    return [*([document] if document else []), *store.list(f"{PREFIX}{share_id}/")]


def delete_objects(store: ObjectStore, share_id: str) -> None:
    """Deletes everything that belongs to a share. Raises StorageError."""
    # Readers look here: it goes first, and without being looked for.
    store.delete(document_key(share_id))
    for info in store.list(f"{PREFIX}{share_id}/"):
        store.delete(info.key)


def read_object(store: ObjectStore, key: str) -> tuple[StoredObject, bytes] | None:
    """A whole object; None if there is none. Raises StorageError, also when it ends early."""
    stored = store.open(key)
    if stored is None or stored.body is None:
        return None
    with closing(stored.body) as body:
        data = b"".join(iter(lambda: body.read(CHUNK_BYTES), b""))
    if len(data) != stored.size:
        raise StorageError(f"a document of {stored.size} bytes ended after {len(data)}")
    return stored, data


def encoding_of(data: bytes) -> str | None:
    """The content encoding of a stored object, for `ObjectStore.put`."""
    return "gzip" if data.startswith(GZIP_MAGIC) else None


def is_temporary(key: str) -> bool:
    """Whether the object is an upload that has not arrived whole."""
    return key.rpartition("/")[2].startswith(TEMPORARY_PREFIX)


def upload_headers(size: int | None, encoding: str | None) -> dict[str, str]:
    """The headers that an upload must send, as both stores bind them."""
    headers = {"Content-Type": CONTENT_TYPE}
    if encoding:
        headers["Content-Encoding"] = encoding
    if size is not None:
        headers["Content-Length"] = str(size)
    return headers
