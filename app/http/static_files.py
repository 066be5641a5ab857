"""Static files under fingerprinted, immutable addresses, compressed once."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from app.http.compression import ENCODERS, accepted_encoding
from app.lib.build_id import build_id

YEAR_SECONDS = 365 * 24 * 60 * 60


def init_app(app: Flask) -> None:
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def add_fingerprint(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["v"] = _fingerprint(folder / values["filename"])
        elif endpoint == "share.theme":
            values["v"] = build_id()

    @app.after_request
    def finish_static_file(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 200:
            path = folder / (request.view_args or {})["filename"]
            if request.args.get("v") == _fingerprint(path):
                set_immutable(response)
            compress(response)
        return response


def warm_up(app: Flask) -> None:
    """Encodes every static file as most browsers prefer, before one asks for it."""
    for path in Path(app.static_folder or "").rglob("*"):
        if path.suffix in (".css", ".js"):
            _fingerprint(path)
            _compressed(path.read_bytes(), next(iter(ENCODERS)))


def set_immutable(response: Response) -> None:
    """Lets caches keep a response for a year without asking again (RFC 8246)."""
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"


def compress(response: Response) -> None:
    """Encodes a stylesheet or script as the client prefers; each encoding is made once."""
    if response.mimetype not in ("text/css", "text/javascript"):
        return
    # Also where nothing is compressed: a shared cache must not serve that to everybody.
    response.vary.add("Accept-Encoding")
    encoding = accepted_encoding(request)
    if encoding == "identity":
        return
    response.direct_passthrough = False
    response.data = _compressed(response.data, encoding)
    response.headers["Content-Encoding"] = encoding


@lru_cache(maxsize=256)
def _compressed(body: bytes, encoding: str) -> bytes:
    return ENCODERS[encoding](body)


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
