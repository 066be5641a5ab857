"""Attached files: how they appear on a page, and the bytes inside a data: URL."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from app.opencode.model import MAX_URL_CHARACTERS, File
from app.render.addresses import is_web_address

# Types that a browser displays without running anything; SVG is not one of them.
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
INLINE_BYTES = 4 * 1024
# Replacing escapes like %20 takes some two hundred times their size in memory.
MAX_ESCAPED_CHARACTERS = 1024 * 1024


@dataclass(frozen=True)
class FileDescription:
    """How a file appears: as an image, as contents to download, as a link elsewhere, or only by name."""

    name: str
    mime: str
    is_image: bool
    has_contents: bool
    inline_url: str
    web_url: str


@dataclass(frozen=True)
class Contents:
    """The bytes of a file and the type under which it is safe to serve them."""

    data: bytes
    mime: str
    name: str

    @property
    def is_shown(self) -> bool:
        return self.mime in IMAGE_TYPES or self.mime == "text/plain"


def describe(file: File) -> FileDescription:
    mime = _mime(file)
    has_contents = file.url.startswith("data:")
    is_web = is_web_address(file.url) and len(file.url) <= MAX_URL_CHARACTERS
    is_image = has_contents and mime in IMAGE_TYPES
    return FileDescription(
        name=file.label,
        mime=mime,
        is_image=is_image,
        has_contents=has_contents,
        inline_url=file.url if is_image and len(file.url) <= INLINE_BYTES else "",
        web_url=file.url if is_web else "",
    )


def contents(file: File) -> Contents | None:
    """The contents of a data: URL (RFC 2397) as an image, plain text or plain bytes; None for other URLs.

    Also None for percent-encoded contents of more than MAX_ESCAPED_CHARACTERS.
    """
    head, comma, payload = file.url.removeprefix("data:").partition(",")
    if not file.url.startswith("data:") or not comma:
        return None
    is_escaped = "%" in payload
    if is_escaped and len(payload) > MAX_ESCAPED_CHARACTERS:
        return None
    data = unquote_to_bytes(payload) if is_escaped else payload.encode()
    if head.endswith(";base64"):
        try:
            data = base64.b64decode(data)
        except binascii.Error:
            return None
    mime = _mime(file)
    if mime not in IMAGE_TYPES:
        mime = "text/plain" if mime.startswith("text/") else "application/octet-stream"
    return Contents(data, mime, file.name or "file")


def _mime(file: File) -> str:
    """The media type; of a data: URL its own, because that is what a browser would use."""
    if file.url.startswith("data:"):
        head = file.url[:MAX_URL_CHARACTERS].removeprefix("data:").partition(",")[0]
        return head.partition(";")[0].lower()
    return file.mime
