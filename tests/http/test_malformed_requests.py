"""Requests that no client sends, over raw sockets: neither their secrets nor their bytes reach a log."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.patience import patience
from tests.support.servers.gunicorn import gunicorn

pytestmark = pytest.mark.server

SECRET = "Secret0123456789secret"
HEAD = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
MALFORMED_CHUNKS = f"POST /api/share/presign {HEAD}Transfer-Encoding: chunked\r\n\r\n{SECRET}\r\n\r\n"
REQUESTS = [
    # A token that a client or a person broke.
    f"GET /t/ {SECRET}/api/share {HEAD}\r\n",
    f"POST /t/%20{SECRET}/api/share {HEAD}Content-Length: 0\r\n\r\n",
    f"POST /t/%20/{SECRET}/x {HEAD}Content-Length: 0\r\n\r\n",
    f"POST /%2ft%2f%00{SECRET}/x%0ay {HEAD}Content-Length: 0\r\n\r\n",
    f"GET http://x/t/{SECRET}/api/share {HEAD}\r\n",
    f"GET /t/{SECRET}\r\n\r\n",
    # Request lines.
    f"{SECRET}\r\n\r\n",
    f"get{SECRET}\x1b[2J /share/x {HEAD}\r\n",
    f"GET /share/x HTTP/{SECRET}\r\n\r\n",
    f"GET /{'x' * 5000}{SECRET} {HEAD}\r\n",
    # Header lines.
    f"GET /share/x {HEAD}X-Share-Secret {SECRET}\r\n\r\n",
    f"GET /share/x {HEAD}X-Share Secret: {SECRET}\r\n\r\n",
    f"GET /share/x {HEAD}X-Share-Secret: {SECRET}\0\r\n\r\n",
    f"GET /share/x {HEAD}X-A: b\r\n {SECRET}: folded\r\n\r\n",
    f"GET /share/x {HEAD}Transfer-Encoding: {SECRET}\r\n\r\n",
    f"GET /share/x {HEAD}Content-Length: {SECRET}\r\n\r\n",
    f"GET /share/x {HEAD}Expect: {SECRET}\r\n\r\n",
    f"GET /t/{SECRET}/share/x {HEAD}X-Share Secret: a\r\n\r\n",
    # Bodies and signatures.
    MALFORMED_CHUNKS,
    f"PUT /api/upload/x?sig={SECRET} {HEAD}Content-Length: 1\r\n\r\na",
    # What a terminal would obey.
    f"GET /share/%1b%5b2J%c2%9b%e2%80%ae%0aforged {HEAD}User-Agent: \u202e\r\n\r\n",
]


def send(address: str, request: str) -> bytes:
    """The first line of the answer."""
    with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), patience(10)) as connection:
        connection.sendall(request.encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.readline()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_malformed_request_stands_in_a_log(tmp_path: Path, log_format: str) -> None:
    settings = {"LOG_FORMAT": log_format, "RATELIMIT_ENABLED": "false", "WEB_CONCURRENCY": "1"}
    with gunicorn(tmp_path, **settings, GUNICORN_CMD_ARGS="--access-logfile -") as address:
        for request in REQUESTS:
            assert send(address, request).startswith(b"HTTP/1.1 ")
        assert send(address, MALFORMED_CHUNKS).startswith(b"HTTP/1.1 400 ")
    log = (tmp_path / "gunicorn.log").read_text()
    assert SECRET not in log
    assert "Traceback" not in log
    assert "Invalid HTTP Header" in log
    assert "forged" in log
    assert [line for line in log.removesuffix("\n").split("\n") if not line.isprintable()] == []
