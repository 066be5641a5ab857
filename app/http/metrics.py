"""Prometheus metrics at `/metrics`: counted by each worker, added up when scraped."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flask import Flask, Response, abort, current_app, request

from app.http.request_log import RequestRecord

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from prometheus_client import CollectorRegistry, Counter, Gauge
    from prometheus_client.registry import Collector

EXTENSION = "better_share_metrics"
# Where prometheus_client keeps one memory-mapped file for each worker.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Names and size of these files; the size is several times what all routes, methods and statuses take.
WORKER_FILES = ("counter", "gauge_livesum", "histogram")
WORKER_FILE_BYTES = 1024 * 1024
# Set in a process whose files could not be allocated.
NO_ROOM = "BETTER_SHARE_NO_ROOM_FOR_METRICS"
BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# Whatever a client sends would become a label, so unknown methods share one.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})

Event = Literal[
    "renders",
    "cache_hits",
    "cache_misses",
    "cache_damages",
    "store_errors",
    "database_errors",
    "shares_created",
    "shares_deleted",
]
logger = logging.getLogger(__name__)

EVENTS: dict[Event, str] = {
    "renders": "Pages that were rendered.",
    "cache_hits": "Pages that were served from a cache.",
    "cache_misses": "Pages that were asked for and not cached.",
    "cache_damages": "Damaged files that were found in the cache and made again.",
    "store_errors": "Requests that failed because the store did.",
    "database_errors": "Requests that failed because the database did.",
    "shares_created": "Shares that were created.",
    "shares_deleted": "Shares that were deleted by who created them.",
}


def count(event: Event) -> None:
    """Counts an event of the current app; does nothing where metrics are off."""
    counter(current_app, event)()


def count_for(app: Flask, event: Event) -> None:
    """As `count`, for an app that is not the current one."""
    counter(app, event)()


def counter(app: Flask, event: Event) -> Callable[[], None]:
    """The function that counts an event where there is no current app."""
    metrics: Metrics | None = app.extensions.get(EXTENSION)
    return metrics.events[event].inc if metrics else lambda: None


def report_fallback(is_used: bool) -> None:
    """Notes whether this worker counts rate limits in the database instead of their own storage."""
    metrics: Metrics | None = current_app.extensions.get(EXTENSION)
    if metrics:
        metrics.fallback_workers.set(is_used)


def prepare_folder(data_dir: Path, port: int) -> None:
    """Creates the folder that the workers of one server share, without what an earlier run left in it.

    Must run before any worker starts.
    """
    folder = Path(os.environ.setdefault(FOLDER, str(data_dir / f"metrics-{port}")))
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*.db"):
        stale.unlink()


def prepare_worker(pid: int) -> None:
    """Allocates the files of a worker, right after it was forked.

    prometheus_client maps sparse files: on a full disk the kernel kills a process that writes to one. Without
    room the worker goes without metrics.
    """
    try:
        for kind in WORKER_FILES:
            with Path(os.environ[FOLDER], f"{kind}_{pid}.db").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, WORKER_FILE_BYTES)
    except OSError as error:
        os.environ[NO_ROOM] = "true"
        logger.warning("there are no metrics of this worker: %s", error.strerror)


def are_possible() -> bool:
    """Whether this process has room for its metrics."""
    return NO_ROOM not in os.environ


def master_of_workers() -> int | None:
    """The process that started this worker; None where there are no workers."""
    return os.getppid() if FOLDER in os.environ else None


def forget_worker(pid: int) -> None:
    """Removes a worker that has ended from the gauge of busy ones."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """The collectors of one app, and its route `/metrics`, which adds what `server` collects."""

    def __init__(self, app: Flask, server: Collector) -> None:
        # Imported here, because a server without metrics does not pay for the library.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = CollectorRegistry()
        self.events: dict[Event, Counter] = {
            name: Counter(f"better_share_{name}", text, registry=registry) for name, text in EVENTS.items()
        }
        self._requests = Counter(
            "better_share_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "better_share_request_seconds",
            "Seconds to answer.",
            ["route"],
            buckets=BUCKETS_SECONDS,
            registry=registry,
        )
        self.busy_workers: Gauge = Gauge(
            "better_share_busy_workers",
            "Workers with a request.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.fallback_workers: Gauge = Gauge(
            "better_share_rate_limit_fallback_workers",
            "Workers that count rate limits in the database because their storage fails.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        app.extensions[EXTENSION] = self
        app.add_url_rule("/metrics", "metrics", lambda: _response(registry, server))

    def observe(self, record: RequestRecord) -> None:
        """Counts one request that was answered."""
        route = record.route or "none"
        method = record.method if record.method in METHODS else "other"
        self._requests.labels(method, route, str(record.status)).inc()
        self._seconds.labels(route).observe(record.seconds)


class BusyGauge:
    """WSGI middleware that counts the requests in progress; touches nothing in the environ."""

    def __init__(self, app: WSGIApplication, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._metrics.busy_workers.track_inprogress():
            return self._app(environ, start_response)


def _response(registry: CollectorRegistry, server: Collector) -> Response:
    """404 for requests through a proxy: they come from outside."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, multiprocess

    if "X-Forwarded-For" in request.headers:
        abort(404)
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    now = CollectorRegistry()
    now.register(server)
    return Response(generate_latest(registry) + generate_latest(now), content_type=CONTENT_TYPE_LATEST)
