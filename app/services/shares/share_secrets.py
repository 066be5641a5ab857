"""The secrets of a share, of which only hashes are stored.

Whoever has the secret may do everything. The removal secret is made from it, and is for removing the share
only: the plugin gives it to OpenCode, beside what it has sealed for itself, so that OpenCode can unshare a
session when the plugin is gone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

from app.db.models import Share
from app.services.shares.errors import SealedSecret, WrongSecret

SECRET_BYTES = 24
# What the plugin gives to OpenCode: `sealed.<what only the plugin can open>.<removal secret>`.
SEALED = "sealed."


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_of(secret: str) -> str:
    """The SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def removal_secret_of(secret: str) -> str:
    """The removal secret of a share with this secret, as the plugin makes it (`share-seal.ts`)."""
    return urlsafe_b64encode(hmac.digest(secret.encode(), b"remove", "sha256")).decode().rstrip("=")


def check_secret(share: Share, secret: str) -> None:
    """Raises WrongSecret, or SealedSecret for what OpenCode sends without the plugin."""
    if hmac.compare_digest(share.secret, hash_of(secret)):
        return
    raise SealedSecret if secret.startswith(SEALED) else WrongSecret


def check_removal(share: Share, secret: str) -> None:
    """As `check_secret`, but takes what OpenCode has of a share of the plugin, too."""
    if not is_removal_secret(share, secret):
        check_secret(share, secret)


def is_removal_secret(share: Share, secret: str) -> bool:
    """Whether it is the removal secret of a share, or what OpenCode has, which ends with that."""
    removal_secret = secret.removeprefix(SEALED).rpartition(".")[2]
    return hmac.compare_digest(share.removal_secret or "", hash_of(removal_secret))
