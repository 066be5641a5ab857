"""Static files and bundles of them under fingerprinted, immutable addresses, compressed once."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request

from app.http.compression import ENCODERS, accepted_encoding
from app.lib.build_id import build_id

YEAR_SECONDS = 365 * 24 * 60 * 60

_CONTENT = ("icons.css", "prose.css", "blocks.css", "generated/terminal.css")
# What a page needs, as one file, because a browser waits for every file before it paints.
# The order is that of the cascade.
BUNDLES: Mapping[str, Sequence[str]] = {
    "account.css": ("base.css", "controls.css", "account.css"),
    "landing.css": ("base.css", "controls.css", "landing.css"),
    "session.css": ("base.css", "session.css", "timeline.css", *_CONTENT, "controls.css", "search.css"),
    "subpage.css": ("base.css", "session.css", *_CONTENT, "changes.css", "search.css"),
    "file.css": ("base.css", "session.css", "timeline.css", *_CONTENT),
    "reader.js": ("search.js", "reading.js", "pagination.js"),
}


def init_app(app: Flask) -> None:
    folder = app.static_folder or ""

    @app.url_defaults
    def add_fingerprint(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["v"] = _fingerprint(folder, values["filename"])
        elif endpoint == "bundle":
            values["v"] = _bundle_fingerprint(folder, values["name"])
        elif endpoint == "share.theme":
            values["v"] = build_id()

    @app.get("/static/bundles/<name>", endpoint="bundle")
    def send_bundle(name: str) -> Response:
        if name not in BUNDLES:
            abort(404)
        response = Response(bundle(folder, name), mimetype=mimetypes.guess_type(name)[0])
        response.headers["Cache-Control"] = "no-cache"
        if request.args.get("v") == _bundle_fingerprint(folder, name):
            set_immutable(response)
        compress(response)
        return response

    @app.after_request
    def finish_static_file(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code == 200:
            if request.args.get("v") == _fingerprint(folder, (request.view_args or {})["filename"]):
                set_immutable(response)
            compress(response)
        return response


def warm_up(app: Flask) -> None:
    """Reads all that pages refer to, and encodes it as most browsers prefer, before one asks for it.

    A worker that is short of file handles needs none then to say so on a page.
    """
    folder = app.static_folder or ""
    for name in BUNDLES:
        _bundle_fingerprint(folder, name)
        _compressed(bundle(folder, name), next(iter(ENCODERS)))
    for path in Path(folder).rglob("*.*"):
        _fingerprint(folder, str(path.relative_to(folder)))
        if path.suffix in (".css", ".js"):
            _compressed(path.read_bytes(), next(iter(ENCODERS)))


@cache
def bundle(folder: str, name: str) -> bytes:
    """The files of a bundle one after another. Raises KeyError."""
    separator = b";\n" if name.endswith(".js") else b"\n"
    return separator.join((Path(folder) / part).read_bytes() for part in BUNDLES[name])


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
def _fingerprint(folder: str, filename: str) -> str:
    return _digest((Path(folder) / filename).read_bytes())


@cache
def _bundle_fingerprint(folder: str, name: str) -> str:
    return _digest(bundle(folder, name))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
