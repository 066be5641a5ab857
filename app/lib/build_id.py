"""The id of this build: which code and templates make the pages."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).parents[1]


@cache
def build_id() -> str:
    """Twelve hexadecimal digits of the SHA-256 of every source, template, stylesheet and script of the app.

    Cached pages and immutable addresses carry it, so that neither outlives the code that made it.
    """
    files = sorted(path for path in SOURCES.rglob("*") if path.suffix in (".py", ".html", ".css", ".js"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]
