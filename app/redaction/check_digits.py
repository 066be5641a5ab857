"""Verifies the check digits at the end of GitHub's and npm's tokens."""

from __future__ import annotations

import string
import zlib

PAYLOAD = 30
DIGITS = 6

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def has_check_digits(value: str) -> bool:
    """Return whether the last `DIGITS` characters are the check digits of the `PAYLOAD` ahead of them."""
    payload = value[-PAYLOAD - DIGITS : -DIGITS]
    return len(payload) == PAYLOAD and value[-DIGITS:] == check_digits(payload)


def check_digits(payload: str) -> str:
    """Return the CRC-32 of a payload in base 62, as GitHub describes it:
    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    """
    number = zlib.crc32(payload.encode())
    digits = ""
    for _ in range(DIGITS):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits
