"""The embedded store: a folder of documents, and signed upload links that lead to this server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

from app.storage.objects import (
    PREFIX,
    TEMPORARY_PREFIX,
    ObjectInfo,
    StorageError,
    StoredObject,
    UploadLink,
    UploadRefused,
)
from app.storage.signed_links import LinkSigner

CHUNK_BYTES = 256 * 1024


class Readable(Protocol):
    def read(self, amount: int, /) -> bytes: ...


@dataclass(frozen=True)
class StagedObject:
    """An object that has arrived whole and is on disk, but not yet under its key."""

    etag: str
    _draft: Path
    _path: Path

    def commit(self) -> None:
        """Puts it in the place of what was there; it may be deleted again as soon as it is."""
        self._draft.rename(self._path)


class DiskStore:
    """Stores documents below `folder`; its upload links begin with `upload_url`."""

    def __init__(self, folder: Path, secret_key: str, upload_url: str) -> None:
        self._folder = folder
        self._signer = LinkSigner(secret_key, upload_url)

    def presign_upload(
        self, key: str, *, size: int | None, encoding: str | None, lifetime: int
    ) -> UploadLink:
        return self._signer.sign(key, size=size, encoding=encoding, lifetime=lifetime)

    @contextmanager
    def stage_upload(
        self,
        key: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Readable,
        max_bytes: int,
    ) -> Iterator[StagedObject]:
        """Writes an upload made with one of our links to disk; the block decides whether to commit it.

        Raises UploadRefused unless `query` is what was signed and `headers` and `body` keep to it.
        """
        self._signer.check(key, query)
        length = _content_length(headers, max_bytes)
        if query["size"] and int(query["size"]) != length:
            raise UploadRefused(403, "wrong_size", f"The link is for exactly {query['size']} bytes.")
        if headers.get("Content-Type", "") != query["type"]:
            raise UploadRefused(415, "wrong_type", f"Send the header 'Content-Type: {query['type']}'.")
        if headers.get("Content-Encoding", "") != query["encoding"]:
            expected = query["encoding"] or "no"
            raise UploadRefused(415, "wrong_encoding", f"The link is for {expected} content encoding.")
        with self._stage(key, body, length) as staged:
            yield staged

    def put(self, key: str, data: bytes, *, encoding: str | None) -> str:
        with self._stage(key, BytesIO(data), len(data)) as staged:
            staged.commit()
        return staged.etag

    def open(self, key: str, etag: str | None = None) -> StoredObject | None:
        try:
            body = (self._folder / key).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"a document cannot be read: {error.strerror}") from error
        stat = os.fstat(body.fileno())
        current_etag = _etag(stat)
        if current_etag != etag:
            return StoredObject(current_etag, stat.st_size, body)
        body.close()
        return StoredObject(current_etag, stat.st_size, None)

    def list(self, prefix: str = PREFIX) -> Iterator[ObjectInfo]:
        try:
            for path in self._folder.rglob("*"):
                key = path.relative_to(self._folder).as_posix()
                # Some may be deleted meanwhile.
                with suppress(FileNotFoundError):
                    if key.startswith(prefix) and path.is_file():
                        stat = path.stat()
                        yield ObjectInfo(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
        except OSError as error:
            raise StorageError(f"the folder of documents cannot be listed: {error.strerror}") from error

    def delete(self, key: str) -> None:
        try:
            (self._folder / key).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"a document cannot be deleted: {error.strerror}") from error

    def warm_up(self) -> None:
        """A folder needs nothing."""

    def check(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"the folder of documents cannot be used: {error.strerror}") from error
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise StorageError("the folder of documents cannot be written")

    @contextmanager
    def _stage(self, key: str, body: Readable, length: int) -> Iterator[StagedObject]:
        """Writes a draft, synced to disk; unless it is committed, nothing of it stays."""
        path = self._folder / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=TEMPORARY_PREFIX, delete=False) as file:
                draft = Path(file.name)
                try:
                    yield StagedObject(_write(file, body, length), draft, path)
                finally:
                    draft.unlink(missing_ok=True)
            _sync_folder(path.parent)
        except OSError as error:
            raise StorageError(f"a document cannot be written: {error.strerror}") from error


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"


def _content_length(headers: Mapping[str, str], max_bytes: int) -> int:
    header = headers.get("Content-Length", "")
    if not header.isascii() or not header.isdigit():
        raise UploadRefused(411, "length_required", "Send the header 'Content-Length'.")
    if int(header) > max_bytes:
        raise UploadRefused(413, "too_large", f"A document may have at most {max_bytes} bytes.")
    return int(header)


def _write(file: IO[bytes], body: Readable, length: int) -> str:
    """Writes `length` bytes and syncs them. Returns the ETag. Raises UploadRefused for a shorter body."""
    _copy(body, file.write, length)
    file.flush()
    os.fsync(file.fileno())
    return _etag(os.fstat(file.fileno()))


def _copy(body: Readable, write: Callable[[bytes], object], length: int) -> None:
    left = length
    while left and (chunk := body.read(min(left, CHUNK_BYTES))):
        write(chunk)
        left -= len(chunk)
    if left:
        raise UploadRefused(400, "cut_short", f"The upload ended {left} bytes before its declared length.")


def _sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
