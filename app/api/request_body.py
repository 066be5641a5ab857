"""Decodes request bodies into structs, or answers 400 with the reason."""

from __future__ import annotations

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


def parse_body(type: type[R]) -> R:
    """The JSON body of the request; an empty one counts as `{}`. Raises ApiError (400)."""
    with as_bad_request():
        return msgspec.json.decode(body_bytes() or b"{}", type=type)


def body_bytes() -> bytes:
    """The body, with lone surrogates replaced, read once. Raises UnicodeDecodeError when it is not UTF-8."""
    if "body_bytes" not in g:
        g.body_bytes = replace_lone_surrogates(request.get_data())
    body: bytes = g.body_bytes
    return body


@contextmanager
def as_bad_request() -> Iterator[None]:
    """Turns what decoding raises into ApiError (400)."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise ApiError(400, "invalid_request", f"The request body is not as expected: {error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError(400, "invalid_json", "The request body is not valid JSON.") from None
