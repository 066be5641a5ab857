"""Whole pages as they were sent: in the memory of the worker, and on the disk that all workers share."""

from __future__ import annotations

from app.http.compression import ENCODERS
from app.http.recent import Recent
from app.services.documents.cache import Cache
from app.services.documents.service import Edition

MEMORY_BYTES = 32 * 1024 * 1024


class KeptPages:
    """Encoded pages by edition and name, the most recently read `max_bytes` of them in memory."""

    def __init__(self, cache: Cache, max_bytes: int = MEMORY_BYTES) -> None:
        self._cache = cache
        self._memory: Recent[tuple[str, str], bytes] = Recent(max_bytes)

    def get(self, edition: Edition, name: str, encoding: str) -> bytes | None:
        key = (edition.life.name, f"{edition.version}.{name}.{encoding}")
        body = self._memory.get(key)
        if body is None:
            body = self._cache.get(*key)
            if body is not None:
                self._memory.put(key[0], key, body, len(body))
        return body

    def put(self, edition: Edition, name: str, encoding: str, page: bytes) -> bytes:
        """Keeps a page; gives it back as encoded."""
        key = (edition.life.name, f"{edition.version}.{name}.{encoding}")
        body = ENCODERS[encoding](page)
        self._cache.put(*key, body)
        self._memory.put(key[0], key, body, len(body))
        return body

    def lives(self) -> set[str]:
        """The names of the lives of which a page is in memory."""
        return self._memory.lives()

    def forget(self, life: str) -> None:
        self._memory.forget(life)
