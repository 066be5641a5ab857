"""Content negotiation, and the encodings in which pages are sent and cached."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
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
# What is large is sent while it is read, and faster. Of each encoder, how it takes a chunk and how it ends.
STREAM_ENCODERS: dict[str, Callable[[], tuple[Callable[[bytes], bytes], Callable[[], bytes]]]] = {
    "br": lambda: ((encoder := brotli.Compressor(quality=4)).process, encoder.finish),
    "zstd": lambda: ((encoder := zstandard.ZstdCompressor(level=3).compressobj()).compress, encoder.flush),
    "gzip": lambda: ((encoder := zlib.compressobj(wbits=zlib.MAX_WBITS | 16)).compress, encoder.flush),
    "identity": lambda: (bytes, bytes),
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


def encoded_chunks(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks of a body in one of ENCODERS."""
    encode, finish = STREAM_ENCODERS[encoding]()
    for chunk in chunks:
        yield encode(chunk)
    yield finish()


def decoded_chunks(body: memoryview) -> Iterator[bytes]:
    """What `encoded_chunks` has encoded with zstd."""
    return iter(zstandard.ZstdDecompressor().read_to_iter(body))


def encoded_response(body: bytes | Iterable[bytes], encoding: str, mimetype: str) -> Response:
    """A response whose body is encoded already."""
    response = Response(body, mimetype=mimetype)
    if encoding != "identity":
        response.headers["Content-Encoding"] = encoding
    return response
