"""Shares on a running server, as their owners handle them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.support.client import SESSION_ID

# A path and the options of a new reader's browser.
OpenPage = Callable[..., Page]


def share_id(name: str) -> str:
    """Under which a recorded session is shared."""
    return name.replace(".", "-").ljust(6, "-")


@dataclass(frozen=True)
class Shared:
    """A share and the secret that goes with it."""

    address: str
    share_id: str
    secret: str

    @classmethod
    def create(cls, address: str, share_id: str, document: bytes) -> Shared:
        asked = {"shareId": share_id, "sessionId": SESSION_ID, "size": len(document)}
        answer = _call("POST", f"{address}/api/share/presign", asked)
        _upload(answer, document)
        return cls(address, share_id, answer["secret"])

    @property
    def path(self) -> str:
        return f"/share/{self.share_id}"

    def replace(self, document: bytes) -> None:
        """Uploads the session as it has become."""
        url = f"{self.address}/api/share/{self.share_id}/presign"
        _upload(_call("POST", url, {"size": len(document)}, self.secret), document)

    def delete(self) -> None:
        _call("DELETE", f"{self.address}/api/share/{self.share_id}", None, self.secret)


def _call(method: str, url: str, body: object = None, secret: str = "") -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json", **({"X-Share-Secret": secret} if secret else {})}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def _upload(answer: dict[str, Any], document: bytes) -> None:
    url, headers = answer["presignedUrl"], answer["headers"]
    urllib.request.urlopen(urllib.request.Request(url, document, headers, method="PUT")).close()
