"""WSGI middleware that gives every request an id, and reports each one to logs and metrics."""

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
REQUEST_ID_KEY = "better_share.request_id"
SHARE_ID_KEY = "better_share.share_id"
ROUTE_KEY = "better_share.route"


@dataclass
class RequestRecord:
    """A request and its response.

    `path` and `query` are as the client sent them, `route` is the rule that matched (None if none did),
    `bytes` is the Content-Length of the response, `seconds` the time until the response started.
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


class RequestLog:
    """Calls each of `observers` with a RequestRecord once `app` has answered.

    The id comes from the header X-Request-ID if `trusts_proxies`, so that the proxy's log and ours name the
    same request; the response carries it in the same header.

    Sets `better_share.request_id` in the environ. Reads `better_share.share_id` and `better_share.route`,
    which `set_share_id` and `set_request_context` set, and `werkzeug.request`, which Flask does.
    """

    def __init__(
        self,
        app: WSGIApplication,
        observers: Sequence[Callable[[RequestRecord], None]],
        trusts_proxies: bool = False,
    ) -> None:
        self._app = app
        self._observers = observers
        self._trusts_proxies = trusts_proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started_at = time.perf_counter()
        header = environ.get("HTTP_X_REQUEST_ID", "") if self._trusts_proxies else ""
        request_id = header if REQUEST_ID.fullmatch(header) else f"{random.getrandbits(64):016x}"
        environ[REQUEST_ID_KEY] = request_id
        record = RequestRecord(
            request_id,
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"].encode("latin1").decode(errors="replace"),
            environ.get("QUERY_STRING", ""),
            environ.get("REMOTE_ADDR", ""),
        )

        def start_and_record(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            # Now, because Flask removes its request from the environ when it is done.
            _add_context(record, environ)
            record.status = int(status[:3])
            record.bytes = next((int(value) for name, value in headers if name == "Content-Length"), None)
            return start_response(status, [*headers, ("X-Request-ID", request_id)], *error)

        body = self._app(environ, start_and_record)
        record.seconds = time.perf_counter() - started_at
        for observe in self._observers:
            observe(record)
        return body


def set_share_id(share_id: str) -> None:
    """Names the share of the current request where its path does not."""
    request.environ[SHARE_ID_KEY] = share_id


def set_request_context(environ: WSGIEnvironment, route: str, share_id: str) -> None:
    """Names the route and the share of a request that Flask never sees."""
    environ[ROUTE_KEY], environ[SHARE_ID_KEY] = route, share_id


def current_request_id() -> str | None:
    """The id of the current request, if there is one."""
    return request.environ.get(REQUEST_ID_KEY) if has_request_context() else None


def _add_context(record: RequestRecord, environ: WSGIEnvironment) -> None:
    if ROUTE_KEY in environ:
        record.route, record.share_id = environ[ROUTE_KEY], environ[SHARE_ID_KEY]
        return
    flask_request: Request = environ["werkzeug.request"]
    record.route = flask_request.url_rule.rule if flask_request.url_rule else None
    record.share_id = environ.get(SHARE_ID_KEY) or (flask_request.view_args or {}).get("share_id")
