"""The key that signs what members get: made once, and kept in the database, where all hosts find it."""

from __future__ import annotations

import hashlib
import secrets
from functools import cached_property

from itsdangerous import Signer, URLSafeTimedSerializer
from sqlalchemy import insert, select

from app.db.connection import AutocommitConnection
from app.db.models import SigningKey

KEY_BYTES = 32
KEY = select(SigningKey.key)


class Signing:
    """Signs and reads texts; what was signed for one purpose (`salt`) is not good for another."""

    def __init__(self, connection: AutocommitConnection) -> None:
        self._connection = connection

    def signer(self, salt: str) -> Signer:
        return Signer(self._key, salt=salt, digest_method=hashlib.sha256)

    def serializer(self, salt: str) -> URLSafeTimedSerializer:
        """For values of JSON that are good for a time."""
        options = {"digest_method": hashlib.sha256}
        return URLSafeTimedSerializer(self._key, salt=salt, signer_kwargs=options)

    @cached_property
    def _key(self) -> str:
        row = self._connection.first(KEY, {})
        if row is None:
            new = {"id": 1, "key": secrets.token_urlsafe(KEY_BYTES)}
            self._connection.insert_if_absent(insert(SigningKey), new)
            row = self._connection.first(KEY, {})
        if row is None:
            raise LookupError("the signing key was deleted")
        return row[0]
