"""The addresses in a file that somebody keeps: within it, to the server, or the pictures themselves."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from urllib.parse import unquote, urlsplit

from flask import url_for

from app.opencode.paging.find import find_file
from app.opencode.paging.ids import IdIndex
from app.render import contents
from app.render.attachments import IMAGE_TYPES
from app.services.container import services
from app.services.documents.service import DocumentVersion

# Of all pictures in one file.
MAX_PICTURE_BYTES = 8 * 1024 * 1024

# As templates write them; the texts of a session are escaped.
_LINK = re.compile(r'href="(/[^"]*)"')
_PICTURE = re.compile(r'<img src="(/[^"]*)" alt="([^"]*)" loading="lazy">')


class FileLinks:
    """Rewrites the HTML of pages for a file that opens without the server.

    A link to a message that is in the file becomes one within it, and so does one to the session of a
    sub-agent, which `anchors` maps to an id. Other links lead to the server. Pictures are embedded up to
    MAX_PICTURE_BYTES, and are links beyond.
    """

    def __init__(self, version: DocumentVersion, anchors: Mapping[str, str]) -> None:
        self._version = version
        self._anchors = anchors
        self._message_ids: set[str] = set()
        self._picture_bytes_left = MAX_PICTURE_BYTES
        self._share = url_for("share.show", share_id=version.share.share_id) + "/"
        server = urlsplit(services().config.BASE_URL)
        self._origin = f"{server.scheme}://{server.netloc}"

    def add_messages(self, ids: Iterable[str]) -> None:
        """Says that messages are in the file."""
        self._message_ids.update(ids)

    def rewrite(self, html: str) -> str:
        return _LINK.sub(self._link, _PICTURE.sub(self._picture, html))

    def absolute(self, address: str) -> str:
        return f"{self._origin}{address}"

    def _link(self, match: re.Match[str]) -> str:
        return f'href="{self._within(match[1]) or self.absolute(match[1])}"'

    def _within(self, address: str) -> str:
        """The fragment for an address of something that is in the file; empty for others."""
        kind, _, rest = address.removeprefix(self._share).partition("/")
        path, _, fragment = rest.partition("#")
        id = unquote(path.partition("?")[0])
        # The id of a later piece is that of its message with a number.
        if kind == "m" and not self._message_ids.isdisjoint((id, id.rpartition(".")[0])):
            return f"#{fragment}"
        if kind == "s" and id in self._anchors:
            return f"#{self._anchors[id]}"
        return ""

    def _picture(self, match: re.Match[str]) -> str:
        address, name = match.groups()
        file = find_file(self._ids, unquote(address.removeprefix(f"{self._share}files/")))
        picture = contents(file) if file else None
        if not picture or picture.mime not in IMAGE_TYPES or len(picture.data) > self._picture_bytes_left:
            return f'<a href="{self.absolute(address)}">{name}</a>'
        self._picture_bytes_left -= len(picture.data)
        data = base64.b64encode(picture.data).decode()
        return f'<img src="data:{picture.mime};base64,{data}" alt="{name}" loading="lazy">'

    @cached_property
    def _ids(self) -> IdIndex:
        return services().documents.ids(self._version)
