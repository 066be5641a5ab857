"""WSGI middleware that serves cached responses for GET /share/<id> without entering Flask.

For a cached page, routing and building the response cost more than asking the database whether it may be
shown. Here the whole response is kept in memory, and only that question remains.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cachetools import LRUCache

from app.http.compression import best_encoding, prefers_markdown
from app.http.request_log import set_request_context

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BYTES = 16 * 1024 * 1024
# Where a view leaves the body and the version of a response that may be cached.
CACHEABLE_KEY = "better_share.cacheable"


class Version(NamedTuple):
    """What a response was made from: a share (its cache key), a document (its ETag), fields of the row."""

    cache_key: str
    etag: str
    page_fields: tuple[object, ...] = ()


class _Cacheable(NamedTuple):
    version: Version
    body: bytes


@dataclass(frozen=True)
class CachedResponse:
    """A 200 response as it was sent."""

    version: Version
    headers: list[tuple[str, str]]
    body: bytes


def mark_cacheable(environ: WSGIEnvironment, version: Version, body: bytes) -> None:
    """Lets the response to the current request be served again while its version is the current one."""
    environ[CACHEABLE_KEY] = _Cacheable(version, body)


class ResponseCache:
    """Keeps the last MAX_BYTES of responses to plain GET requests for `path`, by share and encoding.

    `path` matches PATH_INFO and captures the share's id; `route` is its name in logs and metrics.
    `is_current(share_id, version)` decides at every request whether a response may still be served, and
    `on_hit(environ, share_id)` is called for each that is.

    Reads `better_share.cacheable` from the environ, and sets what `set_request_context` does.
    """

    def __init__(
        self,
        app: WSGIApplication,
        path: re.Pattern[str],
        route: str,
        is_current: Callable[[str, Version], bool],
        on_hit: Callable[[WSGIEnvironment, str], None],
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._app = app
        self._path = path
        self._route = route
        self._is_current = is_current
        self.on_hit = on_hit
        self._responses: LRUCache[tuple[str, str], CachedResponse] = LRUCache(
            max_bytes, getsizeof=lambda response: len(response.body)
        )
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match = self._path.fullmatch(environ["PATH_INFO"])
        if match is None or not _is_plain(environ):
            return self._app(environ, start_response)
        share_id = match[1]
        key = (share_id, best_encoding(environ.get("HTTP_ACCEPT_ENCODING", "")))
        response = self._get(key)
        if response and self._is_current(share_id, response.version):
            self.on_hit(environ, share_id)
            set_request_context(environ, self._route, share_id)
            start_response("200 OK", response.headers)
            return [response.body]

        def start_and_cache(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            cacheable: _Cacheable | None = environ.get(CACHEABLE_KEY)
            if cacheable and status.startswith("200"):
                self._put(key, CachedResponse(cacheable.version, headers, cacheable.body))
            return start_response(status, headers, *error)

        return self._app(environ, start_and_cache)

    def cache_keys(self) -> Collection[str]:
        """The cache keys of the shares of which there are responses."""
        with self._lock:
            return {response.version.cache_key for response in self._responses.values()}

    def forget(self, cache_key: str) -> None:
        with self._lock:
            for key, response in list(self._responses.items()):
                if response.version.cache_key == cache_key:
                    del self._responses[key]

    def _get(self, key: tuple[str, str]) -> CachedResponse | None:
        with self._lock:
            return self._responses.get(key)

    def _put(self, key: tuple[str, str], response: CachedResponse) -> None:
        if len(response.body) > self._responses.maxsize:
            return
        with self._lock:
            self._responses[key] = response


def _is_plain(environ: WSGIEnvironment) -> bool:
    """Whether nothing but the path and Accept-Encoding decides what the response is."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and not environ.get("QUERY_STRING")
        and "HTTP_IF_NONE_MATCH" not in environ
        and not prefers_markdown(environ.get("HTTP_ACCEPT", ""))
    )
