"""Whole pages as they were sent: in the memory of the worker, and on the disk that all workers share."""

from __future__ import annotations

from collections import OrderedDict

from app.cache import Cache
from app.compression import ENCODERS
from app.documents import Edition

MEMORY_BYTES = 32 * 1024 * 1024


class KeptPages:
    """Encoded pages by edition and name, the most recently read `max_bytes` of them in memory."""

    def __init__(self, cache: Cache, max_bytes: int = MEMORY_BYTES) -> None:
        self._cache = cache
        self._memory: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._left = max_bytes

    def get(self, edition: Edition, name: str, encoding: str) -> bytes | None:
        key = (edition.life.name, f"{edition.version}.{name}.{encoding}")
        body = self._memory.get(key)
        if body is not None:
            self._memory.move_to_end(key)
            return body
        body = self._cache.get(*key)
        if body is not None:
            self._hold(key, body)
        return body

    def put(self, edition: Edition, name: str, encoding: str, page: bytes) -> bytes:
        """Keeps a page; gives it back as encoded."""
        key = (edition.life.name, f"{edition.version}.{name}.{encoding}")
        body = ENCODERS[encoding](page)
        self._cache.put(*key, body)
        self._hold(key, body)
        return body

    def forget(self, life: str) -> None:
        for key in [key for key in self._memory if key[0] == life]:
            self._left += len(self._memory.pop(key))

    def _hold(self, key: tuple[str, str], body: bytes) -> None:
        self._left += len(self._memory.pop(key, b"")) - len(body)
        self._memory[key] = body
        while self._left < 0:
            self._left += len(self._memory.popitem(last=False)[1])
