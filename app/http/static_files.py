"""Static files under fingerprinted addresses, and the headers that keep pages safe."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from app.http.compression import ENCODERS, accepted_encoding

YEAR_SECONDS = 365 * 24 * 60 * 60
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)

SAFE = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]


def init_app(app: Flask) -> None:
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def add_fingerprint(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["v"] = _fingerprint(folder / values["filename"])
        elif endpoint == "share.theme":
            values["v"] = release()

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.extend(SAFE)
        if request.endpoint == "static" and response.status_code == 200:
            path = folder / (request.view_args or {})["filename"]
            if request.args.get("v") == _fingerprint(path):
                keep_for_long(response)
            encode(response)
        return response


def keep_for_long(response: Response) -> None:
    """For what never changes at its address."""
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"


def encode(response: Response) -> None:
    """Compresses a stylesheet or script, once for each encoding."""
    if response.mimetype not in ("text/css", "text/javascript"):
        return
    # Also where nothing is compressed: a cache in between must not give that to everybody.
    response.vary.add("Accept-Encoding")
    encoding = accepted_encoding(request)
    if encoding == "identity":
        return
    response.direct_passthrough = False
    response.data = _encoded(response.data, encoding)
    response.headers["Content-Encoding"] = encoding


@lru_cache(maxsize=256)
def _encoded(body: bytes, encoding: str) -> bytes:
    return ENCODERS[encoding](body)


@cache
def release() -> str:
    """A fingerprint of the code and templates that make the pages."""
    root = Path(__file__).parents[1]
    sources = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".html", ".css", ".js"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
