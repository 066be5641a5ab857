"""A trap: as a proxy or as a server, it refuses every request and remembers it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from tests.support.web import listening


@dataclass(frozen=True)
class Trap:
    """`caught` has the first line of each request, like `CONNECT host:443`."""

    url: str
    caught: list[str]


@contextmanager
def trap() -> Iterator[Trap]:
    caught: list[str] = []

    class Refusal(BaseHTTPRequestHandler):
        def parse_request(self) -> bool:
            """Ends every request as soon as its first line is known, whatever its method."""
            caught.append(self.raw_requestline.decode("latin-1").rpartition(" ")[0])
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False

    with listening(Refusal) as url:
        yield Trap(url, caught)
