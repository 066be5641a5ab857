"""WSGI middleware that takes the port from the address of the client."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_WITH_PORT = re.compile(r'"?(?:\[([^\]]+)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+)"?')


class ClientAddress:
    """Makes REMOTE_ADDR an address without a port.

    Some proxies write `192.0.2.1:5678` or `[2001:db8::1]:5678` into X-Forwarded-For, with another port for
    each connection.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if match := _WITH_PORT.fullmatch(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = match[1] or match[2]
        return self._app(environ, start_response)
