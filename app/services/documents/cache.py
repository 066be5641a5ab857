"""What this host keeps of documents: a folder for each share, used by all workers.

Losing any of it costs time and never an answer: failures of the disk are ignored, and what is missing or
damaged is made again. What cannot be replaced is not read either, so a full or read-only disk makes answers
slower and never old. Every file begins with its length and a checksum; the file of messages, which is mapped,
has a checksum for each message in the index. Cache libraries do not offer a folder for each share, with which
deleting a share is one call.

    cache/<LiveShare.cache_key>/
        version                                  the version that was cached last: {"etag", "size"}
        <version>.<build>.stored                 the document as it was stored
        <version>.<build>.messages               its messages, one after another; pages map this file
        <version>.<build>.index                  where each message lies (app.opencode.paging)
        <version>.<build>.unreadable.<max>       why the document cannot be read
        <version>.<page>.<page version>.<encoding>   a page as it was sent; with .cut if not all of it
        steps.<page version>.<page>              the HTML of a page's steps, which outlives the version
        row                                      the row as it was read lately (app.services.shares.recent)
        .lock                                    held by the worker that fetches the next version
        .lock.<name>                             held by the worker that does some work on a version
"""

from __future__ import annotations

import gc
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import msgspec

from app.lib.build_id import build_id
from app.lib.file_lock import file_lock
from app.lib.files import (
    DamagedFile,
    file_id,
    map_file,
    read_checked,
    replace_file,
)
from app.opencode import DamagedIndex, DocumentIndex, UnreadableDocument, read_conversation, write_index
from app.services.documents.cache_files import CacheFiles
from app.services.documents.cache_size import (
    entries,
    evict_files,
    evict_folders,
    folder_size,
    modified_at,
    size_on_disk,
)
from app.services.documents.stored_document import StoredDocument
from app.services.shares.live_share import LiveShare
from app.services.shares.recent import ROW

VERSION = "version"
STEPS = "steps."
LOCK = ".lock"
# What stays of a share that holds too much: what all else is made from.
KEPT = (".stored", ".messages", ".index", VERSION, ROW)
# How many shares the cache has room for at least.
SHARES_AT_LEAST = 4
# What one share may hold: so much, and so many times its document.
DERIVED_BYTES = 16 * 1024 * 1024
DOCUMENT_FACTOR = 3
# How much may be written for a share before its folder is measured again.
MEASURED_BYTES = 4 * 1024 * 1024

logger = logging.getLogger(__name__)


class CachedVersion(msgspec.Struct, frozen=True):
    """A version of a document; `size` in bytes of JSON, 0 when it cannot be read."""

    etag: str
    size: int


class DocumentCache:
    """The folders below `folder`, of `max_bytes` in all once `evict` has run.

    A document of more than `max_document_bytes` cannot be read; another cap may make it readable. `on_damage`
    is called for each file that is found damaged.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        max_document_bytes: int,
        on_damage: Callable[[], None] = lambda: None,
    ) -> None:
        self._files = CacheFiles(folder, on_damage)
        self.max_bytes = max_bytes
        self._max_document_bytes = max_document_bytes
        self._unreadable = f"unreadable.{max_document_bytes}"
        self._used: set[str] = set()
        self._written: dict[str, int] = {}
        self._size: int | None = None
        self._read_version = lru_cache(maxsize=1024)(self._read_version_file)

    def version(self, share: LiveShare) -> CachedVersion | None:
        """The version that any worker cached last; no worker goes back behind what another has served.

        None on a disk that cannot be written: then the next version could not replace this one.
        """
        self._used.add(share.cache_key)
        path = f"{self._files.folder}/{share.cache_key}/{VERSION}"
        id = file_id(path)
        # Not a Path, which takes longer to make than to ask.
        if id is None or not os.access(self._files.folder, os.W_OK):
            return None
        return self._read_version(path, id)

    @contextmanager
    def lock(self, share: LiveShare, *, wait: bool, name: str = "") -> Iterator[bool]:
        """Keeps other workers of this host from doing the same work for a share at the same time.

        `name` says which work; without one, it is fetching the document. Yields whether the lock was
        acquired; with `wait`, blocks until it is.
        """
        file = f"{LOCK}.{name}" if name else LOCK
        folder = self._files.folder / share.cache_key
        with ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                is_acquired = stack.enter_context(file_lock(folder / file, wait=wait))
            except OSError:  # also of a file system without locks
                is_acquired = True
            yield is_acquired

    def write(self, share: LiveShare, document: StoredDocument) -> DocumentIndex:
        """Reads and indexes a document, and makes it the cached version.

        Raises UnreadableDocument, as `raise_cached_error` does from then on.
        """
        try:
            json = document.json
            with _without_garbage_collection():
                conversation = read_conversation(json)
                index, messages = write_index(conversation)
                conversation.release()
        except UnreadableDocument as error:
            self.write_error(share, document.etag, error)
            self._write_version(share, CachedVersion(document.etag, 0))
            raise
        messages_path = self._files.path(share, _document_file(document.etag, "messages"))
        try:
            replace_file(messages_path, messages)
        except OSError:
            self.drop(share)
            return DocumentIndex(index, memoryview(b"".join(messages)))
        if (
            self._files.write(share, _document_file(document.etag, "stored"), [document.clean])
            and self._files.write(share, _document_file(document.etag, "index"), [index])
            and self._write_version(share, CachedVersion(document.etag, len(json)))
        ):
            mapped = map_file(messages_path)
            if mapped:
                return DocumentIndex(index, mapped)
        else:
            self.drop(share)
        return DocumentIndex(index, memoryview(b"".join(messages)))

    def index(self, share: LiveShare, etag: str) -> DocumentIndex | None:
        """The index of a version, unless it was evicted. Raises UnreadableDocument."""
        index = self._files.read(share, _document_file(etag, "index"))
        messages = map_file(self._files.path(share, _document_file(etag, "messages")))
        if index is not None and messages is not None:
            try:
                return DocumentIndex(index, messages)
            except DamagedIndex:
                self.drop_damaged(share)
        self.raise_cached_error(share, etag)
        return None

    def stored(self, share: LiveShare, etag: str) -> bytes | None:
        """The document of a version as it was stored, unless it was evicted."""
        return self._files.read(share, _document_file(etag, "stored"))

    def drop_damaged(self, share: LiveShare) -> None:
        """As `drop`, for a version of which a message was found damaged."""
        self._files.on_damage()
        self.drop(share)

    def drop(self, share: LiveShare) -> None:
        """Makes no version the cached one: what is on disk may be damaged, or could not be replaced."""
        with suppress(OSError):
            self._files.path(share, VERSION).unlink()

    def write_error(self, share: LiveShare, etag: str, error: UnreadableDocument) -> None:
        """Remembers that a version cannot be read, and why."""
        logger.warning("the session of share %s cannot be read: %s", share.share_id, error)
        self._files.write(share, _document_file(etag, self._unreadable), [str(error).encode()])

    def raise_cached_error(self, share: LiveShare, etag: str) -> None:
        """Raises UnreadableDocument for a version that is known to be unreadable."""
        if reason := self._files.read(share, _document_file(etag, self._unreadable)):
            raise UnreadableDocument(reason.decode())

    def page(self, share: LiveShare, etag: str, name: str, max_seconds: float | None = None) -> bytes | None:
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

    def map_page(self, share: LiveShare, etag: str, name: str) -> memoryview | None:
        """As `page`, mapped into memory instead of read."""
        return self._files.map(share, f"{short_version(etag)}.{name}")

    def write_page(self, share: LiveShare, etag: str, name: str, body: Iterable[bytes]) -> bool:
        """Saves a page, whose body comes in chunks. Returns whether there was room for it."""
        return self._write_derived(share, f"{short_version(etag)}.{name}", body)

    def steps(self, share: LiveShare, name: str) -> bytes | None:
        """The rendered steps of a page, whichever version of the document they were made from."""
        return self._files.read(share, STEPS + name)

    def write_steps(self, share: LiveShare, name: str, steps: bytes) -> None:
        self._write_derived(share, STEPS + name, [steps])

    def forget(self, cache_key: str) -> None:
        """Removes everything that was cached for a share."""
        self._written.pop(cache_key, None)
        shutil.rmtree(self._files.folder / cache_key, ignore_errors=True)

    def cache_keys(self) -> list[str]:
        """Every share for which something is cached."""
        return [path.name for path in entries(self._files.folder)]

    def evict(self) -> None:
        """Removes the folders that were used longest ago until the others fit into `max_bytes`."""
        self._mark_used()
        self._size = evict_folders(entries(self._files.folder), self.max_bytes, self.forget)

    def size(self) -> int:
        """The bytes of all folders, as this process measured them last."""
        if self._size is None:
            self._size = sum(map(folder_size, entries(self._files.folder)))
        return self._size

    def _write_derived(self, share: LiveShare, name: str, chunks: Iterable[bytes]) -> bool:
        """Writes what was made from a document, of which one share may not keep too much."""
        if not self._files.write(share, name, chunks):
            return False
        written = self._written.get(share.cache_key, 0) + size_on_disk(self._files.path(share, name))
        if written > MEASURED_BYTES:
            written = 0
            folder = self._files.folder / share.cache_key
            evict_files(folder, self._max_share_bytes(share), _may_go)
        self._written[share.cache_key] = written
        return True

    def _max_share_bytes(self, share: LiveShare) -> int:
        """How much one share may hold: a part of the cache, but as much as the largest document needs."""
        version = self.version(share)
        size = version.size if version else 0
        most = max(self.max_bytes // SHARES_AT_LEAST, DOCUMENT_FACTOR * self._max_document_bytes)
        return min(most, DERIVED_BYTES + DOCUMENT_FACTOR * size)

    def _write_version(self, share: LiveShare, version: CachedVersion) -> bool:
        """Makes a version current and drops what was made from others. Returns whether it is current."""
        if not self._files.write(share, VERSION, [msgspec.json.encode(version)]):
            return False
        self._files.write(share, ROW, [msgspec.json.encode(share)])
        current = (".", VERSION, STEPS, ROW, short_version(version.etag))
        for path in entries(self._files.folder / share.cache_key):
            if not path.name.startswith(current):
                with suppress(OSError):
                    path.unlink()
        return True

    def _read_version_file(self, path: str, _id: tuple[int, int]) -> CachedVersion | None:
        try:
            return msgspec.json.decode(read_checked(Path(path)) or b"", type=CachedVersion)
        except (DamagedFile, msgspec.DecodeError):
            self._files.on_damage()
            return None

    def _mark_used(self) -> None:
        """Sets the modification time of the folders that this process has used since the last time."""
        used, self._used = self._used, set()
        for cache_key in used:
            with suppress(OSError):
                os.utime(self._files.folder / cache_key)


def _may_go(name: str) -> bool:
    """Whether a file can be made again from others; hidden ones are locks and drafts."""
    return not name.startswith(".") and not name.endswith(KEPT)


def short_version(etag: str) -> str:
    """A version's ETag as the beginning of file names."""
    return hashlib.sha256(etag.encode()).hexdigest()[:16]


def _document_file(etag: str, kind: str) -> str:
    # Another build may index documents otherwise.
    return f"{short_version(etag)}.{build_id()}.{kind}"


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A session is a million small objects that all stay: looking for garbage doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
