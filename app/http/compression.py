"""Content negotiation, and the encodings in which pages are sent and cached."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache

import brotli
import zstandard
from flask import Request, Response
from werkzeug.datastructures import Accept, MIMEAccept
from werkzeug.http import parse_accept_header

# In order of preference: the first makes pages smallest.
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": lambda body: zstandard.compress(body, level=9),
    "gzip": lambda body: zlib.compress(body, level=6, wbits=zlib.MAX_WBITS | 16),
    "identity": lambda body: body,
}
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "zstd": zstandard.decompress,
    "gzip": lambda body: zlib.decompress(body, wbits=zlib.MAX_WBITS | 16),
    "identity": lambda body: body,
}
# Browsers send one of a few headers, and parsing one costs more than serving a cached page.
MAX_HEADERS = 256


@lru_cache(maxsize=MAX_HEADERS)
def best_encoding(accept_encoding: str) -> str:
    """The first of ENCODERS that an Accept-Encoding header allows; `identity` when it allows none."""
    accepted = parse_accept_header(accept_encoding, Accept)
    return next((name for name in ENCODERS if accepted[name] > 0), "identity")


@lru_cache(maxsize=MAX_HEADERS)
def prefers_markdown(accept: str) -> bool:
    """Whether an Accept header prefers Markdown to HTML."""
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(["text/html", "text/markdown"]) == "text/markdown"


def accepted_encoding(request: Request) -> str:
    """The best encoding that the client of `request` accepts."""
    return best_encoding(request.headers.get("Accept-Encoding", ""))


def encoded_response(body: bytes, encoding: str, mimetype: str) -> Response:
    """A response whose body is encoded already."""
    response = Response(body, mimetype=mimetype)
    if encoding != "identity":
        response.headers["Content-Encoding"] = encoding
    return response
