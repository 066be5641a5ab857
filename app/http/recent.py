"""What was used most recently, in the memory of a worker."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, each of a share's life, of `max_bytes` in all; any thread may use it."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._entries: OrderedDict[K, tuple[str, V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, life: str, key: K, value: V, size: int) -> None:
        """Keeps a value of `size` bytes of the life with this name, and drops those used longest ago."""
        with self._lock:
            self._drop(key)
            self._entries[key] = (life, value, size)
            self._left -= size
            while self._left < 0:
                self._drop(next(iter(self._entries)))

    def lives(self) -> set[str]:
        """The names of the lives of which something is here."""
        with self._lock:
            return {life for life, _, _ in self._entries.values()}

    def forget(self, life: str) -> None:
        """Drops all that is of the life with this name."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if entry[0] == life]:
                self._drop(key)

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry:
            self._left += entry[2]
