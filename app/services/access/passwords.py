"""Passwords of shares, hashed with Argon2id (RFC 9106)."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARACTERS = 8
MAX_CHARACTERS = 200
# Without letters and digits that look alike; 79 bits.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP_CHARACTERS = 4, 4
# As OWASP recommends for servers: 19 MiB, which a worker needs for some 20 ms.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def generate_password() -> str:
    """A new password, such as `k7wd-9qhm-x2fb-tn4c`."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP_CHARACTERS)) for _ in range(GROUPS))
    return "-".join(groups)


def hash_password(password: str) -> str:
    """What is stored of a password: its hash, with salt and parameters."""
    return _hasher.hash(password)


def is_password(password: str, stored: str) -> bool:
    """Whether `stored` was made from this password."""
    try:
        return _hasher.verify(stored, password[:MAX_CHARACTERS])
    except (VerificationError, InvalidHashError):
        return False
