"""WSGI middleware that takes a creation token from the path, for clients that cannot send a header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = re.compile(r"/+t/+([^/]+)(/.*)?", re.DOTALL)
MASKED = "/t/***"
IN_PATH_KEY = "better_share.token_in_path"


class TokenPrefix:
    """Serves `/t/<token>/path` as `/path` with `Authorization: Bearer <token>`.

    Removes the prefix from PATH_INFO, sets HTTP_AUTHORIZATION and `better_share.token_in_path`, and masks the
    token in RAW_URI and REQUEST_URI, which servers log. No link of the app carries the prefix. Doubled
    slashes are allowed, because the token behind them is a token all the same.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if match := PREFIX.fullmatch(environ.get("PATH_INFO", "")):
            path = match[2] or "/"
            environ["PATH_INFO"] = path
            environ["HTTP_AUTHORIZATION"] = f"Bearer {match[1]}"
            environ[IN_PATH_KEY] = True
            query = environ.get("QUERY_STRING")
            masked = f"{MASKED}{quote(path, encoding='latin-1')}{f'?{query}' if query else ''}"
            # The names under which gunicorn and other servers keep the request target.
            for name in ("RAW_URI", "REQUEST_URI"):
                if name in environ:
                    environ[name] = masked
        return self._app(environ, start_response)


def is_token_in_path() -> bool:
    """Whether the token of the current request was part of its address."""
    return IN_PATH_KEY in request.environ
