"""WSGI middleware that serves the app below the path of its public address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class UrlPrefix:
    """Makes every link of `app` begin with `prefix`, whether or not a proxy strips it from the path.

    Sets SCRIPT_NAME to the prefix, and removes it from PATH_INFO if it is there. No path of `app` may begin
    like `prefix` (`config.OWN_PATHS`), since the path alone tells whether a proxy has stripped it.

    The prefix is a setting and never taken from a header such as X-Forwarded-Prefix: pages are cached for all
    readers, so whoever forged it would put links of theirs on everybody's page.
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
