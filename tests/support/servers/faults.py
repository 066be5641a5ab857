"""Proxies that misbehave: in front of an S3 server by requests, in front of a database by bytes."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.support.patience import patience

DRIP_SECONDS = 0.3
CHUNK_BYTES = 65536


class HttpProxy:
    """Passes requests on to `upstream`, a URL; `fault` says what goes wrong with one, if anything.

    `hang`: nobody answers. `late`: as that, and the request is applied once `apply_late` is called. `refuse`:
    the connection is cut at once. `lost`: the request is applied, and the answer is lost. `drip`: the answer
    comes a byte at a time.
    """

    def __init__(self, upstream: str) -> None:
        self.fault: Callable[[str, str], str | None] = lambda method, path: None
        self.url = ""
        self.seen = threading.Event()
        self._upstream = urlsplit(upstream).netloc
        self._late: list[Callable[[], object]] = []
        self._over = threading.Event()

    def set(self, fault: str | None, *methods: str) -> None:
        """Applies one fault to all requests, or to those with one of the methods."""
        self.seen.clear()
        self.fault = lambda method, path: fault if not methods or method in methods else None

    def apply_late(self) -> int:
        """Applies what was kept back, in the order of arrival. Returns how many requests that were."""
        late, self._late = self._late, []
        for request in late:
            request()
        return len(late)

    def end(self) -> None:
        self._over.set()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        fault = self.fault(handler.command, handler.path)
        if fault:
            self.seen.set()
        if fault == "refuse":
            return
        request = (handler.command, handler.path, body, dict(handler.headers))
        if fault == "late":
            self._late.append(lambda: self._send(*request))
        if fault in ("late", "hang"):
            self._over.wait(patience(300))
            return
        status, headers, data = self._send(*request)
        if fault != "lost":
            self._answer(handler, status, headers, data, drips=fault == "drip")

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection(self._upstream)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(
        self, handler: BaseHTTPRequestHandler, status: int, headers: Any, data: bytes, *, drips: bool
    ) -> None:
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection"):
                handler.send_header(name, value)
        handler.send_header("Connection", "close")
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if not drips:
            handler.wfile.write(data)
            return
        for byte in data:
            handler.wfile.write(bytes([byte]))
            if self._over.wait(DRIP_SECONDS):
                return


@contextmanager
def http_proxy(upstream: str) -> Iterator[HttpProxy]:
    proxy = HttpProxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def parse_request(self) -> bool:
            is_valid = super().parse_request()
            self.close_connection = True
            return is_valid

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return lambda: self._pass_on()
            raise AttributeError(name)

        def _pass_on(self) -> None:
            with suppress(ConnectionError):
                proxy.handle(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.end()
            server.shutdown()
            thread.join()


class TcpProxy:
    """Passes bytes on to a port of this machine, in both directions."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._flows = threading.Event()
        self._flows.set()
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def freeze(self) -> None:
        """Bytes arrive, are acknowledged, and go no further."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        """Ends every connection."""
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        self._flows.set()
        # Closing alone would not end a wait for the next connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._flows.wait()
        server = socket.create_connection(("127.0.0.1", self._upstream))
        self._sockets += [client, server]
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self._pipe, args=[source, target], daemon=True).start()

    def _pipe(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                self._flows.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def tcp_proxy(upstream: int) -> Iterator[TcpProxy]:
    proxy = TcpProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()
