"""What a request says in its body, and what is said of one that cannot be understood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, TypeVar

import msgspec
from flask import g, request
from msgspec import Meta

from app.errors import ApiError
from app.opencode import decodable

SessionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,128}\Z")]
R = TypeVar("R", bound=msgspec.Struct)


def body_of(type: type[R]) -> R:
    """The JSON body of the request; an empty one counts as `{}`."""
    with refused_bodies():
        return msgspec.json.decode(sent() or b"{}", type=type)


def sent() -> bytes:
    """The body, in which every text can be decoded. Raises UnicodeDecodeError when it is not UTF-8."""
    if "sent" not in g:
        g.sent = decodable(request.get_data())
    body: bytes = g.sent
    return body


@contextmanager
def refused_bodies() -> Iterator[None]:
    """What decoding a body raises becomes the answer that says why it is refused."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise ApiError(400, "invalid_request", f"The request body is not as expected: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError(400, "invalid_json", "The request body is not valid JSON.") from None
