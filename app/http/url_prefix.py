"""Serves the app below the path of its public address, where that has one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Mount:
    """Makes every link of `app` begin with `prefix`, whether or not a proxy takes it off the path.

    That is told by the path alone, so no path of `app` may begin as `prefix` does (`config.OWN_PATHS`).
    The prefix is a setting and no header's word: pages are kept for all readers, so one who forged it
    would put his links on everybody's page.
    """

    def __init__(self, app: WSGIApplication, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"] = self._prefix
        path = environ["PATH_INFO"]
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            environ["PATH_INFO"] = path.removeprefix(self._prefix) or "/"
        return self._app(environ, start_response)
