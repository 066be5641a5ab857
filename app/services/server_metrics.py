"""Metrics that are read when they are scraped: the build, processes, disk, cache and stored shares."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from cachetools import TTLCache, cached
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.db.extensions import db
from app.db.models import NATIVE, UPLOAD, Share
from app.lib.build_id import build_id
from app.lib.process_usage import family_of, usage_of
from app.lib.release import RELEASE
from app.services.documents.cache import DocumentCache
from config import Config

if TYPE_CHECKING:
    from prometheus_client import Metric

# Counting a million rows takes a while, and Prometheus asks often.
COUNT_SECONDS = 60


class ServerCollector:
    """A collector of prometheus_client; `master` is the parent of the workers, None without one."""

    def __init__(self, config: Config, cache: DocumentCache, master: int | None) -> None:
        self._config = config
        self._cache = cache
        self._master = master
        self._count_shares = cached(TTLCache(maxsize=1, ttl=COUNT_SECONDS))(_count_shares)

    def describe(self) -> Sequence[Metric]:
        """Nothing, so that registering needs no database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        yield _info()
        yield _gauge("workers", "Workers that are configured.", self._config.WEB_CONCURRENCY)
        yield from self._processes()
        disk = os.statvfs(self._config.data_dir)
        yield _gauge("disk_size_bytes", "Size of the disk of DATA_DIR.", disk.f_blocks * disk.f_frsize)
        yield _gauge("disk_free_bytes", "Room on it for this server.", disk.f_bavail * disk.f_frsize)
        yield _gauge("cache_size_bytes", "Size of the cache in DATA_DIR.", self._cache.size())
        yield _gauge("cache_max_bytes", "CACHE_MAX_BYTES.", self._config.CACHE_MAX_BYTES)
        yield from self._shares()

    def _processes(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        usage = usage_of(family_of(self._master or os.getpid()))
        if not usage.processes:
            return
        seconds = CounterMetricFamily("better_share_cpu_seconds", "CPU time of all processes.")
        seconds.add_metric([], usage.cpu_seconds)
        yield seconds
        yield _gauge("processes", "Master and workers that run.", usage.processes)
        yield _gauge("memory_bytes", "Memory of all processes; what they share, once.", usage.memory_bytes)
        yield _gauge("threads", "Threads of all processes.", usage.threads)
        yield _gauge("open_files", "Files and connections that all processes have open.", usage.open_files)
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        yield _gauge("max_open_files", "How many one process may have open.", limit)

    def _shares(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        try:
            counts = self._count_shares()
        except SQLAlchemyError:
            # What else there is to know matters most just then.
            db.session.rollback()
            return
        family = GaugeMetricFamily("better_share_shares", "Shares that exist, by way in.", labels=["source"])
        for source, count in counts.items():
            family.add_metric([source], count)
        yield family


def _count_shares() -> dict[str, int]:
    is_live = Share.deleted_at.is_(None)
    rows = db.session.execute(select(Share.source, func.count()).where(is_live).group_by(Share.source))
    return {UPLOAD: 0, NATIVE: 0, **dict(rows.all())}


def _info() -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    labels = {"version": RELEASE, "build": build_id(), "python": platform.python_version()}
    family = GaugeMetricFamily("better_share_build_info", "What runs; always 1.", labels=list(labels))
    family.add_metric(list(labels.values()), 1)
    return family


def _gauge(name: str, text: str, value: float) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"better_share_{name}", text, value=value)
