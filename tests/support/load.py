"""Readers who ask without a pause."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

LOADERS = 4


@contextmanager
def load(request: Callable[[], int]) -> Iterator[Counter[int]]:
    """How requests are answered that several readers make without a pause until the block ends."""
    answers: Counter[int] = Counter()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            answers[request()] += 1

    with ThreadPoolExecutor(LOADERS) as pool:
        readers = [pool.submit(read) for _ in range(LOADERS)]
        try:
            yield answers
        finally:
            over.set()
    for reader in readers:
        reader.result()
