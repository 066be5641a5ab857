"""Texts as JavaScript counts them, so that the server and the plugin find the same."""

from __future__ import annotations

import re

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def to_units(text: str) -> str:
    """Return the text with each character outside the basic plane as two, the halves of a surrogate pair."""
    return text if text.isascii() else _ASTRAL.sub(_halves, text)


def from_units(text: str) -> str:
    """Return the text with each surrogate pair as one character."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _halves(character: re.Match[str]) -> str:
    offset = ord(character[0]) - 0x10000
    return chr(0xD800 + (offset >> 10)) + chr(0xDC00 + (offset & 0x3FF))
