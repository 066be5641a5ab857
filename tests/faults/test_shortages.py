"""A worker that runs out of memory or file handles refuses what needs them, and recovers."""

from __future__ import annotations

import itertools
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.service import Service
from tests.faults.service import service as running_service
from tests.support.recorded import document
from tests.support.servers import wait_until

MEGABYTE = 1024 * 1024


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path, WEB_CONCURRENCY="1") as service:
        yield service


@contextmanager
def limited(pid: int, kind: int, limit: int) -> Iterator[None]:
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, before)


def used_memory(pid: int) -> int:
    """Address space in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def limit_that_leaves_one(pid: int) -> int:
    """A limit for the numbers of file handles, of which all but one are in use."""
    used = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    free = (number for number in itertools.count() if number not in used)
    next(free)
    return next(free)


def test_a_worker_without_memory_refuses_large_sessions_and_serves_small_ones(service: Service) -> None:
    service.upload("small-share")
    service.upload("large-share", document("large-output"))
    assert service.ask("GET", "/share/small-share")[0] == 200
    [worker] = service.workers()
    with limited(worker, resource.RLIMIT_AS, used_memory(worker) + MEGABYTE):
        assert service.ask("GET", "/share/large-share")[0] == 503
        assert service.ask("GET", "/share/small-share")[0] == 200
    assert service.ask("GET", "/share/large-share")[0] == 200
    assert service.workers() == {worker}
    assert "Traceback" not in service.log()


def test_a_worker_without_file_handles_serves_what_it_has_in_memory(service: Service) -> None:
    service.upload("cached")
    service.upload("other-share")
    service.ask("GET", "/share/cached")
    page = service.ask("GET", "/share/cached")
    [worker] = service.workers()
    # The connection of the client takes the only one that is left.
    with limited(worker, resource.RLIMIT_NOFILE, limit_that_leaves_one(worker)):
        # Threads of the worker may need it for a moment.
        wait_until(lambda: service.ask("GET", "/share/cached") == page, service.log)
        assert service.ask("GET", "/share/other-share")[0] == 503
        assert service.ask("GET", "/api/share/other-share")[0] == 503
        assert service.ask("GET", "/healthz")[0] == 200
    assert service.ask("GET", "/share/other-share")[0] == 200
    assert service.workers() == {worker}
    assert "Traceback" not in service.log()
