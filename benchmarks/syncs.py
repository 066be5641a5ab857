"""OpenCode without the plugin: what one sync batch costs."""

from __future__ import annotations

import json
import statistics
import time
import urllib.request

SYNCS = 60
TEXT_BYTES = 25_000


class Syncer:
    """An OpenCode that shares one session and sends a batch after each change."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session = f"ses_{time.monotonic_ns():x}"
        self._share = self._post("/api/share", {"sessionID": self._session})
        self._number = 0
        self._sync([{"type": "session", "data": {"id": self._session, "title": "Benchmark"}}])

    def median_seconds(self) -> float:
        return statistics.median(self._timed_sync() for _ in range(SYNCS))

    def _timed_sync(self) -> float:
        self._number += 1
        message = {"id": f"msg_{self._number:06}", "sessionID": self._session, "role": "assistant"}
        part = {"id": f"prt_{self._number:06}", "sessionID": self._session, "messageID": message["id"]}
        part |= {"type": "text", "text": "x" * TEXT_BYTES}
        start = time.perf_counter()
        self._sync([{"type": "message", "data": message}, {"type": "part", "data": part}])
        return time.perf_counter() - start

    def _sync(self, items: list[dict[str, object]]) -> None:
        self._post(f"/api/share/{self._share['id']}/sync", {"secret": self._share["secret"], "data": items})

    def _post(self, path: str, body: object) -> dict[str, str]:
        request = urllib.request.Request(  # noqa: S310
            self._address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310
            answer: dict[str, str] = json.load(response)
        return answer
