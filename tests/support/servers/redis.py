"""A real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.optional import REDIS, require
from tests.support.servers import answers, free_ports, running


@contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """The URL of an empty server."""
    require(REDIS)
    port = port or free_ports(1)[0]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, folder / "redis.log", lambda: answers(port)):
        yield f"redis://127.0.0.1:{port}"
