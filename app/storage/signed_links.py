"""Upload links of the disk store, signed like a presigned PUT of S3."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from app.storage.objects import CONTENT_TYPE, UploadLink, UploadRefused, upload_headers

SIGNED_FIELDS = ("expires", "size", "type", "encoding")


class LinkSigner:
    """Signs links that begin with `upload_url`, with HMAC-SHA256 over the method, the key and the fields.

    The fields are `expires` (epoch seconds), `size` (bytes, or empty), `type` and `encoding`.
    """

    def __init__(self, secret_key: str, upload_url: str) -> None:
        self._secret_key = secret_key.encode()
        self._upload_url = upload_url

    def sign(self, key: str, *, size: int | None, encoding: str | None, lifetime: int) -> UploadLink:
        fields = {
            "expires": str(int(time.time()) + lifetime),
            "size": "" if size is None else str(size),
            "type": CONTENT_TYPE,
            "encoding": encoding or "",
        }
        query = urlencode({**fields, "sig": self._signature(key, fields)})
        return UploadLink(f"{self._upload_url}/{key}?{query}", upload_headers(size, encoding))

    def check(self, key: str, query: Mapping[str, str]) -> None:
        """Raises UploadRefused (403) unless the query is what was signed, and has not expired."""
        fields = {name: query.get(name, "") for name in SIGNED_FIELDS}
        if not hmac.compare_digest(query.get("sig", "").encode(), self._signature(key, fields).encode()):
            raise UploadRefused(403, "bad_signature", "This upload link is not valid; ask for a new one.")
        if int(fields["expires"]) < time.time():
            raise UploadRefused(403, "link_expired", "This upload link has expired; ask for a new one.")

    def _signature(self, key: str, fields: Mapping[str, str]) -> str:
        message = "\n".join(("PUT", key, *(f"{name}={value}" for name, value in fields.items())))
        return hmac.digest(self._secret_key, message.encode(), "sha256").hex()
