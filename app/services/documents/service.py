"""The one place that fetches session documents, and has them kept, indexed and forgotten."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

from app.opencode import JSON, Index, UnreadableDocument
from app.services.documents.cache import Cache
from app.services.documents.kept import Held, KeptDocuments, version_of
from app.services.documents.stored_document import Document, read_body, too_large
from app.services.shares.live_share import Life
from app.storage import ObjectStore, document_key
from app.storage.objects import Body

# How long the store's word is good while a session may still grow, and for how long after the last upload
# link has expired an upload may still be under way.
FRESH_SECONDS = 1
LARGE_FRESH_SECONDS = 20
LARGE_BYTES = 5 * 1024 * 1024
UPLOAD_SECONDS = 600
MAX_SEEN = 10_000
# Makes the newest document of a share from the stored one, where there is one.
Newest = Callable[[Life, Callable[[], JSON | None]], JSON]


@dataclass(frozen=True)
class Unchanged:
    """The caller's copy of a document is the current one."""

    etag: str


@dataclass(frozen=True)
class Edition:
    """One version of a share's document; `version` is short for its `etag`.

    `is_due`: the store may have a newer one by now, and is to be asked once this one has been answered with.
    """

    life: Life
    etag: str
    is_due: bool
    _index: Callable[[], Index]
    _json: Callable[[], JSON]

    @cached_property
    def version(self) -> str:
        return version_of(self.etag)

    @cached_property
    def index(self) -> Index:
        """What the document says. Raises UnreadableDocument or StorageError."""
        return self._index()

    @cached_property
    def json(self) -> JSON:
        """The document unpacked. Raises UnreadableDocument or StorageError."""
        return self._json()


@dataclass(frozen=True)
class _Found:
    """A version of a document, to be read unless the caller has it already (`read` is None), or closed."""

    etag: str
    read: Callable[[], Document] | None = None
    close: Callable[[], None] = field(default=lambda: None)


@dataclass
class _Seen:
    """When the store last said that this version is the newest (epoch seconds)."""

    etag: str
    at: float

    def is_good(self, life: Life, size: int) -> bool:
        """Whether it need not be asked again: just asked, or asked when nothing could change any more."""
        fresh = LARGE_FRESH_SECONDS if size > LARGE_BYTES else FRESH_SECONDS
        return self.at > _settles_at(life) or time.time() - self.at < fresh


class Documents:
    """The documents in `store`, none larger than `max_bytes`; what pages need of them is kept in `cache`.

    `newest` adds to those of OpenCode's own protocol what is not in the store yet.
    """

    def __init__(self, store: ObjectStore, cache: Cache, max_bytes: int, newest: Newest) -> None:
        self._store = store
        self._newest = newest
        self._kept = KeptDocuments(cache, max_bytes)
        self._max_bytes = max_bytes
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def fetch(self, life: Life, etag: str | None = None) -> Document | Unchanged | None:
        """The document of a share; Unchanged for a caller with its `etag`, None before there is any.

        An upload over the cap is removed without being fetched; one that was there before the cap was
        lowered stays. Raises UnreadableDocument or StorageError.
        """
        found = self._open(life, etag)
        if found is None:
            return None
        return found.read() if found.read else Unchanged(found.etag)

    def newest_json(self, life: Life) -> JSON:
        """The document of a native share, with all that has come for it. Raises as `fetch`.

        To find that it cannot be read may take as much as reading it, and is done once on this machine.
        """
        self._kept.refuse(life, native_etag(life))
        try:
            json = self._newest(life, lambda: self._stored_json(life.share_id))
            if len(json) > self._max_bytes:
                raise too_large(self._max_bytes)
        except UnreadableDocument as error:
            self._kept.keep_reason(life, native_etag(life), error)
            raise
        return json

    def current(self, life: Life) -> Edition | None:
        """The newest version of a share's document, read once on this machine; None before any upload.

        Where a large upload may have changed, the version held here is given once more: nobody waits for
        the next while there is something to show. Raises UnreadableDocument or StorageError.
        """
        held = self._kept.held(life)
        is_good = held is not None and self._is_good(life, held)
        if held is not None and (is_good or (held.size > LARGE_BYTES and not life.revision)):
            return self._edition(life, held.etag, is_due=not is_good)
        return self._look(life, held, wait=True)

    def is_newest(self, life: Life, etag: str) -> bool:
        """Whether this version may be shown without asking the store."""
        held = self._kept.held(life)
        return held is not None and held.etag == etag and self._is_good(life, held)

    def refresh(self, life: Life) -> None:
        """Reads the newest version if the store has another, unless another worker is doing so already."""
        self._look(life, self._kept.held(life), wait=False)

    def lives(self) -> set[str]:
        """The names of the lives of which this machine holds something."""
        return {*self._seen, *self._kept.lives()}

    def forget(self, life: str) -> None:
        """Drops what this machine holds of the life with this name."""
        self._seen.pop(life, None)
        self._kept.forget(life)

    def _look(self, life: Life, held: Held | None, *, wait: bool) -> Edition | None:
        found = self._open(life, held.etag if held else None)
        if found is None:
            return None
        index = None
        if found.read:
            with self._kept.turn(life, wait=wait) as is_free:
                now_held = self._kept.held(life)
                if is_free and now_held == held:
                    index = self._kept.take_in(life, found.read())
                else:
                    found.close()
            if is_free and index is None and now_held and now_held.etag != found.etag:
                # Another worker took in what may be newer than what was found here.
                return self._look(life, now_held, wait=wait)
        self._remember(life, found.etag)
        return self._edition(life, found.etag, index=index)

    def _open(self, life: Life, etag: str | None) -> _Found | None:
        """What the store has; of a native share, that with what has come since."""
        if life.revision:
            newest = native_etag(life)
            read = lambda: Document(newest, self.newest_json(life), self._max_bytes)  # noqa: E731
            return _Found(newest, None if etag == newest else read)
        found = self._store.open(document_key(life.share_id), etag)
        if found is None:
            return None
        if found.body is None:
            return _Found(found.etag)
        if found.size > self._max_bytes:
            found.body.close()
            # What has long been there was within the cap when it came.
            if time.time() < _settles_at(life):
                self._store.delete(document_key(life.share_id))
            raise too_large(self._max_bytes)
        return _Found(found.etag, partial(self._read, found.etag, found.body), found.body.close)

    def _stored_json(self, share_id: str) -> JSON | None:
        found = self._store.open(document_key(share_id))
        return self._read(found.etag, found.body).json if found and found.body else None

    def _is_good(self, life: Life, held: Held) -> bool:
        if life.revision:
            # Of a native share the row tells.
            return held.etag == native_etag(life)
        seen = self._seen.get(life.name)
        return seen is not None and seen.etag == held.etag and seen.is_good(life, held.size)

    def _edition(self, life: Life, etag: str, *, is_due: bool = False, index: Index | None = None) -> Edition:
        return Edition(
            life,
            etag,
            is_due,
            lambda: index or self._index(life, etag),
            lambda: self._json(life, etag),
        )

    def _index(self, life: Life, etag: str) -> Index:
        return self._kept.index(life, etag) or self._kept.take_in(life, self._fetch_again(life))

    def _json(self, life: Life, etag: str) -> JSON:
        stored = self._kept.stored(life, etag)
        document = Document(etag, stored, self._max_bytes) if stored else self._fetch_again(life)
        return document.json

    def _fetch_again(self, life: Life) -> Document:
        """For a version that the cache has dropped; a newer one serves as well."""
        found = self.fetch(life)
        if not isinstance(found, Document):
            raise UnreadableDocument("The session is being replaced; try again in a moment.")
        return found

    def _read(self, etag: str, body: Body) -> Document:
        try:
            return Document(etag, read_body(body, self._max_bytes), self._max_bytes)
        finally:
            body.close()

    def _remember(self, life: Life, etag: str) -> None:
        self._seen[life.name] = _Seen(etag, time.time())
        self._seen.move_to_end(life.name)
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)


def _settles_at(life: Life) -> float:
    """When an upload can no longer change the document (epoch seconds)."""
    return life.links_end.timestamp() + UPLOAD_SECONDS


def native_etag(life: Life) -> str:
    """What the batches make of a document, their number alone tells, wherever they are kept."""
    return f"{life.created_ms}-{life.revision}"
