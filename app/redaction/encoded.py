"""Finds base64 whose text contains secrets, like that of a whole file of settings."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator

from app.redaction.finding import Finding
from app.redaction.words import Word

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{40,}={0,2}(?![A-Za-z0-9+/=_-])")
_TEXT = re.compile(r"[\t\n\r -~]+")


def find_encoded(text: str, words: Iterable[Word], find: Callable[[str], list[Finding]]) -> Iterator[Finding]:
    """Find the base64 among long words in whose text `find` finds anything."""
    for match in filter(None, (_BASE64.match(text, word.start) for word in words)):
        decoded = _decoded(match.group())
        inside = find(decoded) if decoded else []
        if inside:
            yield Finding(match.start(), match.end(), inside[0].kind)


def _decoded(run: str) -> str | None:
    """The text of base64; None if it is anything but printable ASCII."""
    try:
        data = base64.b64decode(run + "=" * (-len(run) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return data if _TEXT.fullmatch(data) else None
