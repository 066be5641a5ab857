"""The embedded store: a folder of documents, and upload links signed like a presigned PUT."""

from __future__ import annotations

import hmac
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from app.storage.objects import (
    CONTENT_TYPE,
    DRAFT,
    FOLDER,
    Listed,
    StorageError,
    StoredObject,
    UploadLink,
    upload_headers,
)

CHUNK_BYTES = 256 * 1024


class UploadRefused(Exception):
    """An upload does not match its link: `status` is the HTTP status to answer with."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


class Source(Protocol):
    def read(self, amount: int, /) -> bytes: ...


class DiskStore:
    """Keeps documents below `folder`; its upload links begin with `upload_url`."""

    def __init__(self, folder: Path, secret_key: str, upload_url: str) -> None:
        self._folder = folder
        self._secret_key = secret_key.encode()
        self._upload_url = upload_url

    def presign_upload(
        self, key: str, *, size: int | None, encoding: str | None, lifetime: int
    ) -> UploadLink:
        terms = {
            "expires": str(int(time.time()) + lifetime),
            "size": "" if size is None else str(size),
            "type": CONTENT_TYPE,
            "encoding": encoding or "",
        }
        query = urlencode({**terms, "sig": self._signature(key, terms)})
        return UploadLink(f"{self._upload_url}/{key}?{query}", upload_headers(size, encoding))

    def receive(
        self,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Source,
        max_bytes: int,
        before_storing: Callable[[], None] = lambda: None,
    ) -> None:
        """Stores an upload made with one of our links, piece by piece and all or nothing.

        Raises UploadRefused unless `query` is what was signed and `headers` and `body` keep to it, or what
        `before_storing` raises once all of it has arrived.
        """
        self._check_link(key, query)
        length = _declared_length(headers, max_bytes)
        if query["size"] and int(query["size"]) != length:
            raise UploadRefused(403, "wrong_size", f"The link is for exactly {query['size']} bytes.")
        if headers.get("Content-Type", "") != query["type"]:
            raise UploadRefused(415, "wrong_type", f"Send the header 'Content-Type: {query['type']}'.")
        if headers.get("Content-Encoding", "") != query["encoding"]:
            wanted = query["encoding"] or "no"
            raise UploadRefused(415, "wrong_encoding", f"The link is for {wanted} content encoding.")
        self._write(self._folder / key, body, length, before_storing)

    def put(self, key: str, data: bytes, *, encoding: str | None) -> str:
        return self._write(self._folder / key, BytesIO(data), len(data), lambda: None)

    def open(self, key: str, etag: str | None = None) -> StoredObject | None:
        try:
            body = (self._folder / key).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"a document cannot be read: {error.strerror}") from error
        stat = os.fstat(body.fileno())
        found = _etag(stat)
        if found != etag:
            return StoredObject(found, stat.st_size, body)
        body.close()
        return StoredObject(found, stat.st_size, None)

    def objects(self, beginning: str = FOLDER) -> Iterator[Listed]:
        try:
            for path in self._folder.rglob("*"):
                key = path.relative_to(self._folder).as_posix()
                # Some may be deleted meanwhile.
                with suppress(FileNotFoundError):
                    if key.startswith(beginning) and path.is_file():
                        stat = path.stat()
                        yield Listed(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
        except OSError as error:
            raise StorageError(f"the folder of documents cannot be listed: {error.strerror}") from error

    def delete(self, key: str) -> None:
        try:
            (self._folder / key).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"a document cannot be deleted: {error.strerror}") from error

    def prepare(self) -> None:
        """A folder is always ready."""

    def check(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"the folder of documents cannot be used: {error.strerror}") from error
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise StorageError("the folder of documents cannot be written")

    def _check_link(self, key: str, query: Mapping[str, str]) -> None:
        terms = {name: query.get(name, "") for name in ("expires", "size", "type", "encoding")}
        if not hmac.compare_digest(query.get("sig", "").encode(), self._signature(key, terms).encode()):
            raise UploadRefused(403, "bad_signature", "This upload link is not valid; ask for a new one.")
        if int(terms["expires"]) < time.time():
            raise UploadRefused(403, "link_expired", "This upload link has expired; ask for a new one.")

    def _signature(self, key: str, terms: Mapping[str, str]) -> str:
        message = "\n".join(("PUT", key, *(f"{name}={value}" for name, value in terms.items())))
        return hmac.digest(self._secret_key, message.encode(), "sha256").hex()

    def _write(self, path: Path, body: Source, length: int, before_storing: Callable[[], None]) -> str:
        """The ETag of what was written; it may be deleted as soon as it is in its place."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=DRAFT, delete=False) as draft:
                try:
                    _copy(body, draft.write, length)
                    draft.flush()
                    os.fsync(draft.fileno())
                    etag = _etag(os.fstat(draft.fileno()))
                    before_storing()
                    Path(draft.name).rename(path)
                except BaseException:
                    Path(draft.name).unlink(missing_ok=True)
                    raise
            _sync_folder(path.parent)
            return etag
        except OSError as error:
            raise StorageError(f"a document cannot be written: {error.strerror}") from error


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"


def _declared_length(headers: Mapping[str, str], max_bytes: int) -> int:
    declared = headers.get("Content-Length", "")
    if not declared.isascii() or not declared.isdigit():
        raise UploadRefused(411, "length_required", "Send the header 'Content-Length'.")
    if int(declared) > max_bytes:
        raise UploadRefused(413, "too_large", f"A document may have at most {max_bytes} bytes.")
    return int(declared)


def _copy(body: Source, write: Callable[[bytes], object], length: int) -> None:
    left = length
    while left and (piece := body.read(min(left, CHUNK_BYTES))):
        write(piece)
        left -= len(piece)
    if left:
        raise UploadRefused(400, "cut_short", f"The upload ended {left} bytes before its declared length.")


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
