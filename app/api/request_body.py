"""Reads request bodies piece by piece, and decodes them into structs, or answers 400 with the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

import msgspec
from flask import g, request
from msgspec import Meta

from app.errors import ApiError
from app.opencode import replace_lone_surrogates

SessionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,128}\Z")]
R = TypeVar("R", bound=msgspec.Struct)

# What is read before it is known whose request it is.
HEAD_BYTES = 64 * 1024
MAX_MEMBERS = 16
# OpenCode sends its secret first; who sorts the members of a larger body has no secret.
SEARCHED_BYTES = 1024 * 1024
READ_BYTES = 1024 * 1024

_NAME = re.compile(r'\s*[{,]\s*"((?:[^"\\]|\\.)*)"\s*:\s*')
_LAST_TEXT = rb',\s*"%b"\s*:\s*"([^"\\]*)"\s*}\s*\Z'
# Of the standard library, because msgspec does not decode what is followed by something else.
_decode_value = json.JSONDecoder().raw_decode


def parse_body(type: type[R]) -> R:
    """The JSON body of the request; an empty one counts as `{}`. Raises ApiError (400)."""
    with as_bad_request():
        return msgspec.json.decode(body_bytes() or b"{}", type=type)


def text_member(name: str) -> str:
    """A text in the JSON object of the body, whose remainder is neither read nor decoded; empty without one.

    It is looked for among the members that are whole within the first HEAD_BYTES, and as the last one of a
    body of up to SEARCHED_BYTES.
    """
    if "members" not in g:
        g.members = _first_members(_body()[:HEAD_BYTES].decode(errors="replace"))
    value = g.members.get(name)
    if value is None and HEAD_BYTES < (request.content_length or 0) <= SEARCHED_BYTES:
        value = g.members[name] = _last_member(name)
    # Half a surrogate, which JSON may have, cannot be encoded.
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def body_bytes() -> bytearray:
    """All of the body, with lone surrogates replaced. Raises UnicodeDecodeError when it is not UTF-8."""
    body = _body()
    if not g.has_whole_body:
        _read(body, None)
        replace_lone_surrogates(body)
        g.has_whole_body = True
    return body


def discard_body() -> None:
    """Lets go of a body that has been decoded, and may be large."""
    del g.body


def _body() -> bytearray:
    """What was read of the body, at least its head: one buffer that grows in place."""
    if "body" not in g:
        g.body, g.has_whole_body = bytearray(), False
        _read(g.body, HEAD_BYTES)
    body: bytearray = g.body
    return body


def _read(body: bytearray, limit: int | None) -> None:
    """Reads on until the body has `limit` bytes, or to its end."""
    while limit is None or len(body) < limit:
        chunk = request.stream.read(READ_BYTES if limit is None else limit - len(body))
        if not chunk:
            return
        body += chunk


def _first_members(head: str) -> dict[str, object]:
    members = {}
    end = 0
    for _ in range(MAX_MEMBERS):
        name = _NAME.match(head, end)
        if not name:
            break
        try:
            members[name[1]], end = _decode_value(head, name.end())
        except (ValueError, RecursionError):
            break
    return members


def _last_member(name: str) -> str:
    body = _body()
    _read(body, None)
    last = re.search(_LAST_TEXT % re.escape(name.encode()), body[-HEAD_BYTES:])
    return last[1].decode(errors="replace") if last else ""


@contextmanager
def as_bad_request() -> Iterator[None]:
    """Turns what decoding raises into ApiError (400)."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise ApiError(400, "invalid_request", f"The request body is not as expected: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError(400, "invalid_json", "The request body is not valid JSON.") from None
