"""A server with several workers that a test takes things away from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.recorded import document
from tests.support.servers import answers, free_ports, wait_until
from tests.support.servers.gunicorn import started
from tests.support.web import fetch, is_healthy

WORKERS = 3
SMALL = document("single-message")


class Service:
    """The server at `address`, with its DATA_DIR, `data`."""

    def __init__(self, address: str, data: Path, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.address = address
        self.data = data
        self.process = process
        self._log = log

    def log(self) -> str:
        return self._log.read_text()

    def is_healthy(self) -> bool:
        return is_healthy(f"{self.address}/healthz")

    def wait_until_healthy(self) -> None:
        wait_until(self.is_healthy, self.log)

    def workers(self) -> set[int]:
        """Their process ids."""
        return children_of(self.process.pid)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        status, answer = fetch(method, self.address + path, body, headers=headers)
        return status, json.loads(answer) if path.startswith(("/api", "/readyz")) else answer

    def create(self, share_id: str) -> tuple[int, Any]:
        return self.ask("POST", "/api/share/presign", {"shareId": share_id, "sessionId": "ses_1"})

    def upload(self, share_id: str, session: object = SMALL) -> Any:
        """A share with a session; what its creation answered."""
        status, created = self.create(share_id)
        assert status == 201
        assert fetch("PUT", created["presignedUrl"], session)[0] == 200
        return created


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@contextmanager
def service(folder: Path, **settings: str) -> Iterator[Service]:
    port = int(settings.get("PORT") or free_ports(1)[0])
    common = {"PORT": str(port), "WEB_CONCURRENCY": str(WORKERS), "RATELIMIT_ENABLED": "false"}
    with started(folder, lambda: answers(port), **{**common, **settings}) as process:
        data = Path(settings.get("DATA_DIR", folder / "data"))
        yield Service(f"http://127.0.0.1:{port}", data, folder / "gunicorn.log", process)
