"""Reads and writes the text in `data:` URLs (RFC 2397), as OpenCode stores attachments."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_HEAD = re.compile(r"data:([a-z]{1,40}/[a-z0-9.+-]{1,100})?(?:;[^,]{0,200})?,", re.IGNORECASE)
_TEXT_TYPE = re.compile(
    r"(?:text/|application/(?:[a-z0-9.-]*\+)?(?:json|xml|yaml|toml|javascript|x-sh|x-yaml|sql)|image/svg\+xml)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Attachment:
    """The content of a `data:` URL.

    `text` is the decoded text, or None for a media type that is not text. `head` is the URL up to and
    including the comma.
    """

    text: str | None
    head: str
    is_base64: bool

    def with_text(self, text: str) -> str:
        """Return the `data:` URL with `text` in place of its content."""
        data = text.encode(errors="replace")
        return self.head + (base64.b64encode(data).decode() if self.is_base64 else quote(data))


def attachment_in(url: str) -> Attachment | None:
    """Parse a `data:` URL; None for any other text."""
    head = _HEAD.match(url) if url.startswith("data:") else None
    if head is None:
        return None
    is_base64 = head.group().lower().endswith(";base64,")
    if not _TEXT_TYPE.match(head[1] or "text/plain"):
        return Attachment(None, head.group(), is_base64)
    body = url[head.end() :]
    return Attachment(_decoded(body) if is_base64 else unquote(body), head.group(), is_base64)


def _decoded(body: str) -> str:
    try:
        return base64.b64decode(body + "==").decode(errors="replace")
    except (binascii.Error, ValueError):
        return body
