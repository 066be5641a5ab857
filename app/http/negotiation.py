"""What a client wants, by the headers it sends."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import Accept, MIMEAccept
from werkzeug.http import parse_accept_header

# Those that make a page smallest first.
ENCODINGS = ("br", "zstd", "gzip")

# Browsers all send one of a few headers, and parsing it costs more than answering with a page that is kept.
KNOWN = 256


@lru_cache(maxsize=KNOWN)
def best_encoding(accept_encoding: str) -> str:
    """The best encoding that a client accepts, `identity` where it is none of ours."""
    accepted = parse_accept_header(accept_encoding, Accept)
    return next((name for name in ENCODINGS if accepted[name] > 0), "identity")


@lru_cache(maxsize=KNOWN)
def prefers_markdown(accept: str) -> bool:
    """Whether a client would rather have Markdown than a page."""
    accepted = parse_accept_header(accept, MIMEAccept)
    return accepted.best_match(["text/html", "text/markdown"]) == "text/markdown"
