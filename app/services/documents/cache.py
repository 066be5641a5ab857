"""What this host keeps of documents: a folder for each share, used by all workers.

Losing any of it costs time and never an answer: failures of the disk are ignored, and what is missing or
damaged is made again. What cannot be replaced is not read either, so a full or read-only disk makes answers
slower and never old. Every file begins with its length and a checksum; the file of messages, which is mapped,
has a checksum for each message in the index. Cache libraries do not offer a folder for each share, with which
deleting a share is one call.

    cache/<LiveShare.cache_key>/
        version                                  the version that was cached last: {"etag", "size"}
        <version>.<build>.stored                 the document as it was stored, or nothing if it is in pieces
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
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import msgspec

from app.lib.file_lock import file_lock
from app.lib.files import DamagedFile, file_id, read_checked
from app.opencode import (
    DamagedIndex,
    DocumentIndex,
    Extension,
    UnreadableDocument,
    write_index,
)
from app.services.documents.cache_files import CacheFiles
from app.services.documents.cache_size import (
    entries,
    evict_folders,
    folder_size,
)
from app.services.documents.cached_version import CachedIndex, CachedVersion
from app.services.documents.document_files import DocumentFiles, document_file, short_version
from app.services.documents.page_files import STEPS, PageFiles
from app.services.documents.stored_document import StoredDocument
from app.services.shares.live_share import LiveShare
from app.services.shares.recent import ROW

VERSION = "version"
LOCK = ".lock"
# How many shares the cache has room for at least.
SHARES_AT_LEAST = 4
# What one share may hold: so much, and so many times its document.
DERIVED_BYTES = 16 * 1024 * 1024
DOCUMENT_FACTOR = 3
# How large a file of messages may become with what no version needs: so many times the document and so much.
MESSAGES_FACTOR = 2
SPARE_BYTES = 4 * 1024 * 1024

logger = logging.getLogger(__name__)


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
        self._documents = DocumentFiles(self._files)
        self.pages = PageFiles(self._files, self._max_share_bytes, kept=(VERSION, ROW))
        self.max_bytes = max_bytes
        self._max_document_bytes = max_document_bytes
        self._unreadable = f"unreadable.{max_document_bytes}"
        self._used: set[str] = set()
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
                # Only to what is synced or committed is something added later.
                is_extendable = share.revision > 0 and document.etag == share.synced_etag
                index, messages = write_index(json, is_extendable=is_extendable)
        except UnreadableDocument as error:
            self.write_error(share, document.etag, error)
            self._write_version(share, CachedVersion(document.etag, 0))
            raise
        written = self._documents.write(share, document.etag, document, index, messages)
        if written and self._write_version(share, CachedVersion(document.etag, len(json))):
            return written
        self.drop(share)
        return DocumentIndex(index, memoryview(b"".join(messages)))

    def note_checkpoint(self, share: LiveShare) -> None:
        """Remembers the checkpoint of a share with the cached version, if that is the current one."""
        version = self.version(share)
        if version and version.etag == share.synced_etag and version.checkpoint != share.checkpoint:
            with self.lock(share, wait=False) as is_acquired:
                if is_acquired and self.version(share) == version:
                    self._write_version(share, version)

    def index(self, share: LiveShare, etag: str) -> DocumentIndex | None:
        """The index of a version, unless it was evicted. Raises UnreadableDocument."""
        try:
            if index := self._documents.index(share, etag):
                return index
        except DamagedIndex:
            self.drop_damaged(share)
        self.raise_cached_error(share, etag)
        return None

    def extendable(self, share: LiveShare) -> CachedIndex | None:
        """The cached version, if changes can be merged into its index."""
        version = self.version(share)
        try:
            index = self.index(share, version.etag) if version else None
        except UnreadableDocument:
            return None
        if version is None or index is None or not index.is_extendable:
            return None
        # Otherwise the file of messages has grown too much; then all is written anew.
        has_room = len(index.messages) <= MESSAGES_FACTOR * version.size + SPARE_BYTES
        return CachedIndex(version, index) if has_room else None

    def extend(
        self, share: LiveShare, etag: str, base: CachedIndex, extension: Extension
    ) -> DocumentIndex | None:
        """Makes an extension of the cached version `base` the cached one; None if the disk does not allow it.

        Only to be called with the lock.
        """
        index = self._documents.extend(share, etag, base.version.etag, base.index, extension)
        is_current = index and self._write_version(share, CachedVersion(etag, extension.document_size))
        return index if is_current else None

    def document(self, share: LiveShare, etag: str) -> StoredDocument | None:
        """The document of a version, unless it was evicted."""
        try:
            stored = self._documents.stored(share, etag)
        except DamagedIndex:
            self.drop_damaged(share)
            return None
        return StoredDocument(etag, stored, self._max_document_bytes, known_clean=True) if stored else None

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
        self._files.write(share, document_file(etag, self._unreadable), [str(error).encode()])

    def raise_cached_error(self, share: LiveShare, etag: str) -> None:
        """Raises UnreadableDocument for a version that is known to be unreadable."""
        if reason := self._files.read(share, document_file(etag, self._unreadable)):
            raise UnreadableDocument(reason.decode())

    def forget(self, cache_key: str) -> None:
        """Removes everything that was cached for a share."""
        self.pages.forget(cache_key)
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

    def _max_share_bytes(self, share: LiveShare) -> int:
        """How much one share may hold: a part of the cache, but as much as the largest document needs."""
        version = self.version(share)
        size = version.size if version else 0
        most = max(self.max_bytes // SHARES_AT_LEAST, DOCUMENT_FACTOR * self._max_document_bytes)
        return min(most, DERIVED_BYTES + DOCUMENT_FACTOR * size)

    def _write_version(self, share: LiveShare, version: CachedVersion) -> bool:
        """Makes a version current and drops what was made from others. Returns whether it is current."""
        if version.etag == share.synced_etag:
            version = msgspec.structs.replace(version, checkpoint=share.checkpoint)
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


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A session is a million small objects that all stay: looking for garbage doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
