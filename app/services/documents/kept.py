"""What this machine keeps of documents, so that each version is fetched and read once for all workers."""

from __future__ import annotations

import gc
import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from app.http.static_files import release
from app.opencode import Index, UnreadableDocument, read_conversation, write_index
from app.services.documents.cache import Cache
from app.services.documents.stored_document import Document
from app.services.shares.live_share import Life

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# The file that says which version is held.
HELD = "held"

logger = logging.getLogger(__name__)


class Held(msgspec.Struct, frozen=True):
    """What is held of a share: a version, and the bytes of its unpacked document."""

    etag: str
    size: int


class KeptDocuments:
    """The last version of each document in `cache`: as it was stored, its messages, and their index.

    Of one that cannot be read, the reason; another `max_bytes` may make it readable.
    """

    def __init__(self, cache: Cache, max_bytes: int) -> None:
        self._cache = cache
        self._unreadable = f"unreadable.{max_bytes}"
        self._read_held = lru_cache(maxsize=1024)(self._read_held_file)

    def held(self, life: Life) -> Held | None:
        """What was taken in last: no worker goes back behind what another has shown."""
        stamp = self._cache.stamp(life.name, HELD)
        return self._read_held(life.name, stamp) if stamp else None

    def turn(self, life: Life, *, wait: bool) -> AbstractContextManager[bool]:
        """Whether nobody else on this machine takes something in for this share; see `Cache.turn`."""
        return self._cache.turn(life.name, wait=wait)

    def take_in(self, life: Life, document: Document) -> Index:
        """Reads a document and keeps it. Raises UnreadableDocument; `refuse` then raises it as well."""
        try:
            json = document.json
            with _without_collecting():
                index, pieces = write_index(read_conversation(json))
        except UnreadableDocument as error:
            self.keep_reason(life, document.etag, error)
            self._hold(life, Held(document.etag, 0))
            raise
        self._keep(life, document.etag, "messages", pieces)
        self._keep(life, document.etag, "stored", [document.stored])
        self._keep(life, document.etag, "index", [index])
        self._hold(life, Held(document.etag, len(json)))
        messages = self._cache.map(life.name, _name(document.etag, "messages"))
        return Index(index, messages or memoryview(b"".join(pieces)))

    def index(self, life: Life, etag: str) -> Index | None:
        """The index of a version, unless it has been dropped. Raises UnreadableDocument."""
        index = self._cache.get(life.name, _name(etag, "index"))
        messages = self._cache.map(life.name, _name(etag, "messages"))
        if index is not None and messages is not None:
            return Index(index, messages)
        self.refuse(life, etag)
        return None

    def keep_reason(self, life: Life, etag: str, error: UnreadableDocument) -> None:
        """Remembers that a version cannot be read, whoever found out."""
        logger.warning("the session of share %s cannot be read: %s", life.share_id, error)
        self._keep(life, etag, self._unreadable, [str(error).encode()])

    def refuse(self, life: Life, etag: str) -> None:
        """Raises UnreadableDocument for a version of which it is known that it cannot be read."""
        if reason := self._cache.get(life.name, _name(etag, self._unreadable)):
            raise UnreadableDocument(reason.decode())

    def stored(self, life: Life, etag: str) -> bytes | None:
        """The document of a version as it was stored, unless that has been dropped."""
        return self._cache.get(life.name, _name(etag, "stored"))

    def lives(self) -> list[str]:
        """The names of the lives of which something is kept."""
        return self._cache.lives()

    def forget(self, life: str) -> None:
        self._cache.forget(life)

    def _keep(self, life: Life, etag: str, kind: str, pieces: Iterable[ReadableBuffer]) -> None:
        self._cache.put_pieces(life.name, _name(etag, kind), pieces)

    def _hold(self, life: Life, held: Held) -> None:
        self._cache.put(life.name, HELD, msgspec.json.encode(held))
        self._cache.keep_only(life.name, (version_of(held.etag), HELD, "steps."))

    def _read_held_file(self, life: str, _stamp: tuple[int, int]) -> Held | None:
        try:
            return msgspec.json.decode(self._cache.get(life, HELD) or b"", type=Held)
        except msgspec.DecodeError:
            return None


def version_of(etag: str) -> str:
    """A version's etag as a short beginning of file names."""
    return hashlib.sha256(etag.encode()).hexdigest()[:16]


def _name(etag: str, kind: str) -> str:
    # Another release may index documents otherwise.
    return f"{version_of(etag)}.{release()}.{kind}"


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A session is a million small objects that all stay: looking for dead ones doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
