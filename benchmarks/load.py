"""As many requests as a server takes, from a few processes, each on a connection of its own."""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.pool import Pool
from urllib.parse import urlsplit

from benchmarks.client import ACCEPT, ENCODINGS
from benchmarks.processes import cpu_seconds
from benchmarks.service import Running

CLIENTS = 4
MAX_REQUESTS = 20_000
TIMEOUT_SECONDS = 120
BUFFER_BYTES = 256 * 1024

# Makes the request with a number, to be sent as it is.
MakeRequest = Callable[[int], bytes]


@dataclass(frozen=True)
class Load:
    """What came of a load: requests answered, wall time, and CPU time of the workers."""

    requests: int
    seconds: float
    cpu_seconds: float

    def __add__(self, other: Load) -> Load:
        return Load(
            self.requests + other.requests,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
        )

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_per_request(self) -> float:
        return self.cpu_seconds / self.requests


@dataclass(frozen=True)
class PageRequest:
    """A reader who wants the same page every time; `header` is one line that says who they are."""

    path: str
    header: str = ""

    def __call__(self, number: int) -> bytes:
        own = f"{self.header}\r\n" if self.header else ""
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {ACCEPT}\r\n"
            f"Accept-Encoding: {ENCODINGS}\r\n{own}Connection: close\r\n\r\n"
        ).encode()


@dataclass(frozen=True)
class PresignRequest:
    """People who share a session each."""

    prefix: str

    def __call__(self, number: int) -> bytes:
        body = f'{{"shareId": "{self.prefix}{number}", "sessionId": "ses_benchmark", "size": 1000}}'
        return (
            "POST /api/share/presign HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        ).encode()


@contextmanager
def clients() -> Iterator[Pool]:
    """Processes to send requests from; to be forked before there are threads or anything large in memory."""
    with multiprocessing.get_context("fork").Pool(CLIENTS) as pool:
        yield pool


def apply_load(pool: Pool, server: Running, make: MakeRequest, seconds: float) -> Load:
    """Sends requests for `seconds`. Raises RuntimeError when one is not answered with success."""
    port = urlsplit(server.address).port
    before = cpu_seconds(server.workers)
    start = time.perf_counter()
    tasks = [(port, make, seconds, client) for client in range(CLIENTS)]
    requests = sum(pool.starmap(_send_requests, tasks, chunksize=1))
    elapsed = time.perf_counter() - start
    return Load(requests, elapsed, cpu_seconds(server.workers) - before)


def _send_requests(port: int, make: MakeRequest, seconds: float, client: int) -> int:
    buffer = bytearray(BUFFER_BYTES)
    deadline = time.perf_counter() + seconds
    sent = 0
    while sent < MAX_REQUESTS and (not sent or time.perf_counter() < deadline):
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            connection.sendall(make(sent * CLIENTS + client))
            if (got := connection.recv_into(buffer)) < 12 or buffer[9:10] != b"2":
                raise RuntimeError(f"a request under load was answered {bytes(buffer[: min(got, 60)])!r}")
            while connection.recv_into(buffer):
                pass
        sent += 1
    return sent
