"""Takes a token in front of the path, for clients that can be told an address but no header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = re.compile(r"/+t/+([^/]+)(/.*)?", re.DOTALL)
MASKED = "/t/***"


class TokenPrefix:
    """Serves `/t/<token>/path` as `/path` with `Authorization: Bearer <token>`.

    The prefix is in no link that the app makes, and servers that log the address as it came read `/t/***`.
    Slashes may be doubled: the token behind them is a token all the same.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if found := PREFIX.fullmatch(environ.get("PATH_INFO", "")):
            path = found[2] or "/"
            environ["PATH_INFO"] = path
            environ["HTTP_AUTHORIZATION"] = f"Bearer {found[1]}"
            query = environ.get("QUERY_STRING")
            masked = f"{MASKED}{quote(path, encoding='latin-1')}{f'?{query}' if query else ''}"
            # As gunicorn and others call it.
            for name in ("RAW_URI", "REQUEST_URI"):
                if name in environ:
                    environ[name] = masked
        return self._app(environ, start_response)
