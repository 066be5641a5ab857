"""The embedded store: a folder of documents, and signed upload links that lead to this server."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

from app.lib.files import make_folder, sync_folder
from app.lib.os_errors import describe
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
ATTEMPTS = 10


class Readable(Protocol):
    def read(self, amount: int, /) -> bytes: ...


@dataclass(frozen=True)
class StagedObject:
    """An object that has arrived whole and is on disk, but not yet under its key."""

    _draft: Path
    _path: Path

    def read(self) -> bytearray:
        """All of it, to be checked."""
        content = bytearray(self._draft.stat().st_size)
        with self._draft.open("rb") as draft:
            draft.readinto(content)
        return content

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

    def put(self, key: str, data: bytes, *, encoding: str | None, if_absent: bool = False) -> None:
        with self._stage(key, BytesIO(data), len(data)) as staged:
            staged.commit()

    def open(self, key: str, etag: str | None = None) -> StoredObject | None:
        try:
            body = (self._folder / key).open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"a document cannot be read: {describe(error)}") from error
        stat = os.fstat(body.fileno())
        current_etag = _etag(stat)
        if current_etag != etag:
            return StoredObject(current_etag, stat.st_size, body, _modified_at(stat))
        body.close()
        return StoredObject(current_etag, stat.st_size, None)

    def info(self, key: str) -> ObjectInfo | None:
        try:
            stat = (self._folder / key).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"a document cannot be read: {describe(error)}") from error
        return ObjectInfo(key, stat.st_size, _modified_at(stat), _etag(stat))

    def list(self, prefix: str = PREFIX) -> Iterator[ObjectInfo]:
        for folder, _, names in os.walk(self._folder / prefix.rpartition("/")[0], onerror=_raise_for_listing):
            for name in names:
                key = Path(folder, name).relative_to(self._folder).as_posix()
                # None for one that was deleted meanwhile.
                if key.startswith(prefix) and (info := self.info(key)):
                    yield info

    def delete(self, key: str) -> None:
        path = self._folder / key
        try:
            path.unlink()
            sync_folder(path.parent)
            if path.parent.parent != self._folder:
                with suppress(OSError):  # the share has other objects
                    path.parent.rmdir()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise StorageError(f"a document cannot be deleted: {describe(error)}") from error

    def ignores_case(self) -> bool:
        """As the file system does, asked by another spelling of the folder's own name."""
        try:
            make_folder(self._folder)
            return self._folder.with_name(self._folder.name.swapcase()).samefile(self._folder)
        except OSError:
            return False

    def warm_up(self) -> None:
        """A folder needs nothing."""

    def check(self) -> None:
        try:
            make_folder(self._folder)
        except OSError as error:
            raise StorageError(f"the folder of documents cannot be used: {describe(error)}") from error
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise StorageError("the folder of documents cannot be written")

    @contextmanager
    def _stage(self, key: str, body: Readable, length: int) -> Iterator[StagedObject]:
        """Writes a draft, synced to disk; unless it is committed, nothing of it stays.

        The draft lies in the folder of the share, so that it is deleted with the share if this process dies.
        """
        path = self._folder / key
        drafts = path.with_suffix("") if path.parent.parent == self._folder else path.parent
        try:
            with _new_draft(drafts) as file:
                draft = Path(file.name)
                try:
                    _write(file, body, length)
                    yield StagedObject(draft, path)
                finally:
                    draft.unlink(missing_ok=True)
                    with suppress(OSError):  # the share has other objects
                        drafts.rmdir()
            sync_folder(path.parent)
        except OSError as error:
            raise StorageError(f"a document cannot be written: {describe(error)}") from error


def _raise_for_listing(error: OSError) -> None:
    """Raises StorageError, unless the folder was removed meanwhile."""
    if not isinstance(error, FileNotFoundError):
        raise StorageError(f"the folder of documents cannot be listed: {describe(error)}") from error


def _new_draft(folder: Path) -> IO[bytes]:
    for _ in range(ATTEMPTS):
        make_folder(folder)
        # Another upload that has just ended may remove the folder, which is empty.
        with suppress(FileNotFoundError):
            return tempfile.NamedTemporaryFile(dir=folder, prefix=TEMPORARY_PREFIX, delete=False)
    raise FileNotFoundError(errno.ENOENT, "the folder of the upload vanishes")


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_ino:x}-{stat.st_mtime_ns:x}-{stat.st_size:x}"


def _modified_at(stat: os.stat_result) -> datetime:
    return datetime.fromtimestamp(stat.st_mtime, UTC)


def _content_length(headers: Mapping[str, str], max_bytes: int) -> int:
    header = headers.get("Content-Length", "")
    if not header.isascii() or not header.isdigit():
        raise UploadRefused(411, "length_required", "Send the header 'Content-Length'.")
    if int(header) > max_bytes:
        raise UploadRefused(413, "too_large", f"A document may have at most {max_bytes} bytes.")
    return int(header)


def _write(file: IO[bytes], body: Readable, length: int) -> None:
    """Writes `length` bytes and syncs them. Raises UploadRefused for a shorter body."""
    _copy(body, file.write, length)
    file.flush()
    os.fsync(file.fileno())


def _copy(body: Readable, write: Callable[[bytes], object], length: int) -> None:
    left = length
    while left and (chunk := body.read(min(left, CHUNK_BYTES))):
        write(chunk)
        left -= len(chunk)
    if left:
        raise UploadRefused(400, "cut_short", f"The upload ended {left} bytes before its declared length.")
