"""A real Redis."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import answers, free_ports, missing, running


@contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """The URL of an empty server."""
    if not shutil.which("redis-server"):
        missing("redis-server (apt-get install redis-server)")
    port = port or free_ports(1)[0]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with running(command, folder / "redis.log", lambda: answers(port)):
        yield f"redis://127.0.0.1:{port}"
