"""Pictures in the text that a tool returned: as a `data:` URL, or as content items of MCP.

Content items are those of the Model Context Protocol, `{"type": "text", "text"}` and
`{"type": "image", "data", "mimeType"}`, alone, in a list, or in the list `content` of an object.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from app.opencode.limits import objects
from app.opencode.model import File, file_id
from app.opencode.reading.common_parts import MAX_ATTACHMENTS

_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]{1,40});base64,[A-Za-z0-9+/]+={0,2}\s*+")


class _Item(msgspec.Struct, frozen=True):
    type: str
    text: str = ""
    data: str = ""
    mimeType: str = ""  # noqa: N815 - a name of MCP


class _Result(msgspec.Struct, frozen=True):
    content: Raw


def take_pictures(block_id: str, output: str, first: int) -> tuple[str, list[File]]:
    """The text of an output without its pictures, and these as files, numbered from `first`.

    An output with anything but texts and pictures stays as it is.
    """
    if url := _DATA_URL.fullmatch(output):
        return "", [File(id=file_id(block_id, first), url=output.strip(), mime=url[1], name="")]
    if output[:1] not in ("{", "[") or '"mimeType"' not in output:
        return output, []
    try:
        items = _items(output.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return output, []
    if not {item.type for item in items} <= {"text", "image"}:
        return output, []
    pictures = [item for item in items if item.type == "image"]
    files = [
        File(
            id=file_id(block_id, number),
            url=f"data:{item.mimeType};base64,{item.data}",
            mime=item.mimeType,
            name="",
        )
        for number, item in enumerate(pictures, first)
    ]
    return "\n".join(item.text for item in items if item.type == "text"), files


def _items(json: bytes) -> list[_Item]:
    """Raises msgspec.DecodeError for JSON that is no content of MCP."""
    if json.startswith(b"["):
        return [msgspec.json.decode(item, type=_Item) for item in objects(Raw(json), MAX_ATTACHMENTS)]
    try:
        return [msgspec.json.decode(json, type=_Item)]
    except msgspec.ValidationError:
        content = msgspec.json.decode(json, type=_Result).content
        return [msgspec.json.decode(item, type=_Item) for item in objects(content, MAX_ATTACHMENTS)]
