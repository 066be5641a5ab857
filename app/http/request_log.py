"""Names every request and tells those who watch, logs and metrics, how it was answered."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Request, has_request_context, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
ID_KEY = "better_share.request_id"
SHARE_KEY = "better_share.share_id"
ROUTE_KEY = "better_share.route"


@dataclass
class Answered:
    """A request and its answer: `path` and `query` as a stranger sent them, `bytes` without headers.

    `route` is the rule that matched the path, None if there is none.
    """

    request_id: str
    method: str
    path: str
    query: str
    client: str
    route: str | None = None
    share_id: str | None = None
    status: int = 0
    bytes: int | None = None
    seconds: float = 0.0


class Watch:
    """Calls each of `watchers` with every request to `app` that was answered.

    A request has the name that a trusted proxy gave it, so that its log and ours tell of the same one.
    """

    def __init__(
        self,
        app: WSGIApplication,
        watchers: Sequence[Callable[[Answered], None]],
        trusts_proxies: bool = False,
    ) -> None:
        self._app = app
        self._watchers = watchers
        self._trusts_proxies = trusts_proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID", "") if self._trusts_proxies else ""
        name = given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"
        environ[ID_KEY] = name
        told = Answered(
            name,
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"].encode("latin1").decode(errors="replace"),
            environ.get("QUERY_STRING", ""),
            environ.get("REMOTE_ADDR", ""),
        )

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            # Flask takes its request out of the environment once it is answered.
            _note_request(told, environ)
            told.status = int(status[:3])
            told.bytes = next((int(value) for name, value in headers if name == "Content-Length"), None)
            return start_response(status, [*headers, ("X-Request-ID", name)], *error)

        body = self._app(environ, start)
        told.seconds = time.perf_counter() - began
        for watcher in self._watchers:
            watcher(told)
        return body


def about(share_id: str) -> None:
    """Notes which share the current request is about, where its path does not say."""
    request.environ[SHARE_KEY] = share_id


def request_id() -> str | None:
    """The name of the current request, if there is one."""
    return request.environ.get(ID_KEY) if has_request_context() else None


def note(environ: WSGIEnvironment, route: str, share_id: str) -> None:
    """Notes the route and the share of a request that Flask never sees."""
    environ[ROUTE_KEY], environ[SHARE_KEY] = route, share_id


def _note_request(told: Answered, environ: WSGIEnvironment) -> None:
    if ROUTE_KEY in environ:
        told.route, told.share_id = environ[ROUTE_KEY], environ[SHARE_KEY]
        return
    asked: Request = environ["werkzeug.request"]
    told.route = asked.url_rule.rule if asked.url_rule else None
    told.share_id = environ.get(SHARE_KEY) or (asked.view_args or {}).get("share_id")
