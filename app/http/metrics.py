"""What Prometheus may ask for at `/metrics`: counted by each worker, added up when asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flask import Flask, Response, abort, current_app, request

from app.http.request_log import Answered

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from prometheus_client import CollectorRegistry, Counter

EXTENSION = "better_share_metrics"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# Everything a stranger may send ends up as a label, so what is not known is not named.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})

Event = Literal[
    "renders",
    "cache_hits",
    "cache_misses",
    "store_errors",
    "database_errors",
    "shares_created",
    "shares_deleted",
]
EVENTS: dict[Event, str] = {
    "renders": "Pages that were rendered.",
    "cache_hits": "Pages that were served as kept.",
    "cache_misses": "Pages that were asked for and not kept.",
    "store_errors": "Requests that failed because the store did.",
    "database_errors": "Requests that failed because the database did.",
    "shares_created": "Shares that were created.",
    "shares_deleted": "Shares that were deleted by who created them.",
}


def count(event: Event) -> None:
    """Counts an event, if anything is counted at all."""
    counter(current_app, event)()


def counter(app: Flask, event: Event) -> Callable[[], None]:
    """What counts an event where there is no request of Flask's."""
    counters: dict[Event, Counter] | None = app.extensions.get(EXTENSION)
    return counters[event].inc if counters else lambda: None


def prepare(data_dir: Path, port: int) -> None:
    """Makes the folder through which the workers of one server add up, without what another run left in it.

    Must come before any worker starts.
    """
    folder = Path(os.environ.setdefault(FOLDER, str(data_dir / f"metrics-{port}")))
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.db"):
        stale.unlink()


def forget_worker(pid: int) -> None:
    """Takes a worker that has ended out of what counts as busy."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


def init_app(app: Flask) -> Callable[[Answered], None]:
    """Makes `app` answer at `/metrics`; gives back what counts each request that was answered."""
    # A server that is not asked for metrics does not pay for the library.
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

    registry = CollectorRegistry()
    requests = Counter(
        "better_share_requests", "Requests answered.", ["method", "route", "status"], registry=registry
    )
    seconds = Histogram(
        "better_share_request_seconds", "Seconds to answer.", ["route"], buckets=SECONDS, registry=registry
    )
    busy = Gauge(
        "better_share_busy_workers", "Workers with a request.", registry=registry, multiprocess_mode="livesum"
    )
    app.extensions[EXTENSION] = {
        name: Counter(f"better_share_{name}", text, registry=registry) for name, text in EVENTS.items()
    }

    serve = app.wsgi_app

    def serve_busily(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with busy.track_inprogress():
            return serve(environ, start_response)

    app.wsgi_app = serve_busily  # type: ignore[method-assign]
    app.add_url_rule("/metrics", "metrics", lambda: _answer(registry))

    def watch(told: Answered) -> None:
        route = told.route or "none"
        method = told.method if told.method in METHODS else "other"
        requests.labels(method, route, str(told.status)).inc()
        seconds.labels(route).observe(told.seconds)

    return watch


def _answer(registry: CollectorRegistry) -> Response:
    """For those inside only: what came through a proxy came from outside."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

    if "X-Forwarded-For" in request.headers:
        abort(404)
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
