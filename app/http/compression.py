"""Encodes bodies in the way that a client accepts and that makes them smallest."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli
import zstandard
from flask import Request, Response

from app.http.negotiation import best_encoding

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": lambda body: zstandard.compress(body, level=9),
    "gzip": lambda body: zlib.compress(body, level=6, wbits=zlib.MAX_WBITS | 16),
    "identity": lambda body: body,
}


def accepted_encoding(request: Request) -> str:
    """The best encoding that the client of `request` accepts."""
    return best_encoding(request.headers.get("Accept-Encoding", ""))


def encoded_response(body: bytes, encoding: str, mimetype: str) -> Response:
    """A response with an encoded body."""
    response = Response(body, mimetype=mimetype)
    if encoding != "identity":
        response.headers["Content-Encoding"] = encoding
    return response
