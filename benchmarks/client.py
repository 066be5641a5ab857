"""A reader and an uploader that take the time; they know of the service what HTTP shows."""

from __future__ import annotations

import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from html.parser import HTMLParser
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit

TIMEOUT_SECONDS = 120
# What Chromium sends.
ENCODINGS = "gzip, deflate, br, zstd"
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ASSET_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload"}
GZIP_LEVEL = 6
# Headers that belong to the body, and that a bare route has to send too.
BODY_HEADERS = ("Content-Type", "Content-Encoding")


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire, with the seconds to its first and to its last byte."""

    status: int
    headers: dict[str, str]
    body: bytes
    first_byte_seconds: float
    seconds: float

    @property
    def wire_bytes(self) -> int:
        return len(self.body) + sum(len(name) + len(value) + 4 for name, value in self.headers.items())

    @property
    def body_headers(self) -> dict[str, str]:
        return {name: self.headers[name] for name in BODY_HEADERS if name in self.headers}


@dataclass(frozen=True)
class Page:
    """What a first page refers to: its assets, and the fragments that it leaves for later."""

    assets: Sequence[str]
    fragments: Sequence[str]


def get(url: str, encodings: str = ENCODINGS, etag: str = "") -> Answer:
    """One GET on a connection of its own, as a browser would send it."""
    parts = urlsplit(url)
    headers = {"Accept": ACCEPT, "Accept-Encoding": encodings, "Connection": "close"}
    if etag:
        headers["If-None-Match"] = etag
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    start = time.perf_counter()
    try:
        connection.request(
            "GET", f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=headers
        )
        response = connection.getresponse()
        first_byte = time.perf_counter() - start
        body = response.read()
        received = {name.title(): value for name, value in response.getheaders()}
        return Answer(response.status, received, body, first_byte, time.perf_counter() - start)
    finally:
        connection.close()


def get_page(url: str) -> Answer:
    """As `get`, of what must be there. Raises RuntimeError."""
    answer = get(url)
    if answer.status != 200:
        raise RuntimeError(f"GET {url} answered {answer.status}")
    return answer


def read_plain(url: str) -> bytes:
    """A page without content encoding."""
    return get(url, encodings="identity").body


def look_at(url: str) -> Page:
    """What the page at `url` refers to on its own server."""
    found = _References()
    found.feed(read_plain(url).decode())
    here = urlsplit(url).netloc
    assets = dict.fromkeys(urljoin(url, address) for address in found.assets)
    return Page(
        [asset for asset in assets if urlsplit(asset).netloc == here],
        [urljoin(url, f"{found.steps}/{number}") for number in range(2, found.pages + 1)],
    )


class _References(HTMLParser):
    """Collects addresses; the one place that knows how a page names the fragments it leaves for later."""

    def __init__(self) -> None:
        super().__init__()
        self.assets: list[str] = []
        self.steps = ""
        self.pages = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        relations = set(given.get("rel", "").split())
        if tag == "link" and relations & ASSET_RELATIONS and "alternate" not in relations:
            self.assets.append(given["href"])
        elif tag == "script" and given.get("src"):
            self.assets.append(given["src"])
        elif given.get("class") == "page":
            self.steps = given["data-src"].rpartition("/")[0]
        elif given.get("aria-current") == "page":
            self.pages = int(given["aria-label"].rpartition(" ")[2])


def put_document(address: str, share_id: str, packed: bytes, **access: str) -> None:
    """Shares a gzip-encoded document whole, as clients do that commit nothing; `access` says for whom."""
    wanted = {
        "shareId": share_id,
        "sessionId": "ses_benchmark",
        "size": len(packed),
        "contentEncoding": "gzip",
        **access,
    }
    link = json.loads(_send("POST", f"{address}/api/share/presign", json.dumps(wanted).encode(), {}))
    _send("PUT", link["presignedUrl"], packed, link["headers"])


class Uploader:
    """Someone who shares a session under `share_id` as the plugin does: all of it once, and then changes."""

    def __init__(self, share_id: str) -> None:
        self.share_id = share_id
        self._headers: dict[str, str] = {}
        self._revision = 0

    def create(self, address: str, session_id: str) -> int:
        """Creates the share, and returns the time of it in epoch milliseconds."""
        wanted = {"shareId": self.share_id, "sessionId": session_id, "size": 1}
        created = json.loads(_send("POST", f"{address}/api/share/presign", json.dumps(wanted).encode(), {}))
        self._headers = {"X-Share-Secret": created["secret"]}
        at: int = created["createdAt"]
        return at

    def upload(self, address: str, kind: str, content: bytes) -> None:
        """Uploads a "snapshot" or "changes", and commits them."""
        packed = gzip.compress(content, GZIP_LEVEL)
        wanted = {"kind": kind, "size": len(packed), "contentEncoding": "gzip"}
        share = f"{address}/api/share/{self.share_id}"
        link = json.loads(_send("POST", f"{share}/presign", json.dumps(wanted).encode(), self._headers))
        _send("PUT", link["presignedUrl"], packed, link["headers"])
        committed = {"kind": kind, "sha256": sha256(content).hexdigest(), "base": self._revision}
        answer = json.loads(_send("POST", f"{share}/commit", json.dumps(committed).encode(), self._headers))
        self._revision = answer["revision"]


def _send(method: str, url: str, body: bytes, headers: dict[str, str]) -> bytes:
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            received: bytes = response.read()
            return received
    except urllib.error.HTTPError as error:
        sentence = error.read().decode(errors="replace")
        raise RuntimeError(f"{method} {url} answered {error.code}: {sentence}") from None
