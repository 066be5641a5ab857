"""Derives from a secret the values to search for in other texts."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import unquote

from app.redaction.heuristics import is_distinctive
from app.redaction.utf16 import from_units, to_units

# Longer values are removed only where a rule matched.
MAX_KNOWN_LENGTH = 4096
# The secrets whose variants are remembered: the same ones stand in many texts.
MAX_REMEMBERED = 512
# Shorter lines of a key are not distinctive.
_LINE = re.compile(r"[A-Za-z0-9+/=]{40,}")
_END_OF_LINE = re.compile(r"\n|\\{1,8}[nr]")
_ESCAPED = re.compile(r"(?:[^%]*%[0-9A-Fa-f]{2})+[^%]*")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)")
_LOGIN = re.compile(rb"[ -9;-~]{0,64}:([ -~]+)")


@lru_cache(MAX_REMEMBERED)
def variants(secret: str) -> Sequence[str]:
    """Return the secret, or the long lines of a multi-line one, and the passwords decoded from it."""
    lines = _END_OF_LINE.split(secret)
    values = [secret] if len(lines) == 1 else [part for line in lines for part in _LINE.findall(line)]
    return [
        value
        for value in (*values, *_unescaped(secret), *_password(secret))
        if len(value) <= MAX_KNOWN_LENGTH and is_distinctive(value)
    ]


def _unescaped(secret: str) -> Iterator[str]:
    """The percent-decoded secret, as the password of a URL."""
    if len(secret) <= MAX_KNOWN_LENGTH and _ESCAPED.fullmatch(secret):
        try:
            yield to_units(unquote(from_units(secret), errors="strict"))
        except UnicodeDecodeError:
            return


def _password(secret: str) -> Iterator[str]:
    """The password in the base64 of a `Basic` authorization header (RFC 7617)."""
    if len(secret) <= MAX_KNOWN_LENGTH and _BASE64.fullmatch(secret):
        login = _LOGIN.fullmatch(base64.b64decode(secret))
        if login:
            yield login[1].decode()
