"""The files of a version of a document in the cache: what was stored, its messages and their index.

Where a version was made by extending another, its file of messages is that of the other, which has grown: a
hard link, so that either can be removed.
"""

from __future__ import annotations

import hashlib

from msgspec import Raw

from app.lib.build_id import build_id
from app.lib.files import map_file, replace_file
from app.opencode import JSON, DocumentIndex, Extension
from app.services.documents.cache_files import CacheFiles
from app.services.documents.stored_document import StoredDocument
from app.services.shares.live_share import LiveShare

DOCUMENT_ENDINGS = (".stored", ".messages", ".index")
# Instead of a document that is put together from the pieces in the file of messages.
MADE_OF_PIECES = b""


class DocumentFiles:
    """Reads and writes such files among `files`. Failures of the disk are no errors, and leave no version."""

    def __init__(self, files: CacheFiles) -> None:
        self._files = files

    def write(
        self, share: LiveShare, etag: str, document: StoredDocument, index: bytes, messages: list[Raw]
    ) -> DocumentIndex | None:
        """Writes a version, and returns its index; None if there is no room for it."""
        path = self._files.path(share, document_file(etag, "messages"))
        try:
            replace_file(path, messages)
        except OSError:
            return None
        opened = self._open(share, etag, index)
        if opened is None:
            return None
        # Written without spaces, it is what its pieces make.
        is_made = opened.is_extendable and opened.document_size == len(document.json)
        stored = MADE_OF_PIECES if is_made else document.clean
        return opened if self._write_index(share, etag, stored, index) else None

    def extend(
        self, share: LiveShare, etag: str, base_etag: str, base: DocumentIndex, extension: Extension
    ) -> DocumentIndex | None:
        """Writes a version that extends another, as `write`; only one process may do so at a time."""
        path = self._files.path(share, document_file(etag, "messages"))
        try:
            path.unlink(missing_ok=True)
            path.hardlink_to(self._files.path(share, document_file(base_etag, "messages")))
            with path.open("r+b") as file:
                file.seek(len(base.messages))
                file.writelines(extension.pieces)
        except OSError:
            return None
        is_written = self._write_index(share, etag, MADE_OF_PIECES, extension.index)
        return self._open(share, etag, extension.index) if is_written else None

    def index(self, share: LiveShare, etag: str) -> DocumentIndex | None:
        """The index of a version. Raises DamagedIndex."""
        index = self._files.read(share, document_file(etag, "index"))
        return None if index is None else self._open(share, etag, index)

    def stored(self, share: LiveShare, etag: str) -> bytes | None:
        """The document of a version as it was stored. Raises DamagedIndex."""
        stored = self._files.read(share, document_file(etag, "stored"))
        if stored != MADE_OF_PIECES:
            return stored
        index = self.index(share, etag)
        return b"".join(index.document()) if index else None

    def _write_index(self, share: LiveShare, etag: str, stored: JSON, index: bytes) -> bool:
        files = {"stored": stored, "index": index}
        return all(
            self._files.write(share, document_file(etag, kind), [content]) for kind, content in files.items()
        )

    def _open(self, share: LiveShare, etag: str, index: bytes) -> DocumentIndex | None:
        messages = map_file(self._files.path(share, document_file(etag, "messages")))
        return None if messages is None else DocumentIndex(index, messages)


def short_version(etag: str) -> str:
    """A version's ETag as the beginning of file names."""
    return hashlib.sha256(etag.encode()).hexdigest()[:16]


def document_file(etag: str, kind: str) -> str:
    """The name of a file that depends on how a build reads documents."""
    return f"{short_version(etag)}.{build_id()}.{kind}"
