"""Random clients and random faults against whole installations, and a model of what readers may see.

`make soak` runs each installation for SOAK_SECONDS; a violation prints the seed of its run and what was done
to the share. SEED is the first seed.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from tests.faults.model.client import Client, Contents
from tests.faults.model.installations import Installation, on_one_disk, on_servers
from tests.faults.model.shares import Violation
from tests.support.patience import patience
from tests.support.servers import wait_until
from tests.support.servers.faults import http_proxy, tcp_proxy
from tests.support.web import is_healthy

CLIENTS = 8
STEPS = 60
FAULT_SECONDS = 1.0
# With SOAK_SECONDS there are as many runs, each with the next seed, as fit into that time.
RUNS = 4
SEED = int(os.environ.get("SEED", "1"))
SOAK_SECONDS = float(os.environ.get("SOAK_SECONDS", "0"))

Install = Callable[[Path], Iterator[Installation]]


@pytest.fixture(params=["one master", "two masters", "one host", "two hosts"])
def install(request: pytest.FixtureRequest) -> Install:
    """Starts an installation in a folder: masters on one disk, or hosts on PostgreSQL and S3."""
    count = 2 if "two" in request.param else 1

    @contextmanager
    def disk(folder: Path) -> Iterator[Installation]:
        with on_one_disk(folder, count) as installation:
            yield installation

    @contextmanager
    def servers(folder: Path) -> Iterator[Installation]:
        database_url = request.getfixturevalue("postgres_database")
        bucket = request.getfixturevalue("empty_bucket")
        with (
            tcp_proxy(urlsplit(database_url).port or 0) as database,
            http_proxy(bucket["S3_ENDPOINT"]) as proxy,
            on_servers(
                folder, count, database_url, database, {**bucket, "S3_ENDPOINT": proxy.url}, proxy
            ) as installation,
        ):
            yield installation

    return disk if "master" in request.param else servers


def run(seed: int, installation: Installation, steps: int) -> tuple[Counter[str], set[str]]:
    """Lets the clients make `steps` steps each while faults come and go.

    Returns the faults, and the ids of shares of which nothing may be left.
    """
    contents = Contents()
    clients = [Client(seed, number, installation.hosts, contents) for number in range(CLIENTS)]
    faults: Counter[str] = Counter()
    over = threading.Event()
    with ThreadPoolExecutor(CLIENTS + 1) as pool:
        trouble = pool.submit(_make_trouble, Random(seed), installation, over, faults)
        running = [pool.submit(_drive, client, steps) for client in clients]
        for each in running:
            each.exception()
        over.set()
    for each in [*running, trouble]:
        each.result()
    for client in clients:
        _checked(client, client.check_all)
    for service in installation.services:
        assert "Traceback" not in service.log(), service.log()
    return faults, {share_id for client in clients for share_id in client.deleted()}


def _errors(log: str) -> str:
    """The end of what a server logged besides requests."""
    return "\n".join([line for line in log.splitlines() if " INFO " not in line][-60:])


def _drive(client: Client, steps: int) -> None:
    for _ in range(steps):
        _checked(client, client.step)


def _checked(client: Client, action: Callable[[], None]) -> None:
    try:
        action()
    except Violation as violation:
        history = client.share.history if client.share else []
        raise Violation("\n".join([str(violation), *history[-40:]])) from violation


def _make_trouble(
    random: Random, installation: Installation, over: threading.Event, faults: Counter[str]
) -> None:
    """Faults one after another; after each the servers are well again before the next comes."""
    while not over.wait(random.random() * FAULT_SECONDS):
        name = random.choice(sorted(installation.faults))
        faults[name] += 1
        with installation.faults[name](random):
            over.wait(random.random() * 2 * FAULT_SECONDS)
        ended_at = time.monotonic()
        for host in installation.hosts:
            wait_until(lambda: is_healthy(f"{host}/readyz"), lambda: f"{host} is not ready after {name}")  # noqa: B023
        if time.monotonic() - ended_at > patience(10):
            raise Violation(f"not well again {time.monotonic() - ended_at:.1f} s after {name}")


def test_clients_and_faults(install: Install, tmp_path: Path, report: Callable[[str], None]) -> None:
    ends_at = time.monotonic() + SOAK_SECONDS
    steps, faults, deleted = 0, Counter[str](), set[str]()
    with install(tmp_path) as installation:
        for seed in itertools.count(SEED):
            if seed >= SEED + RUNS and time.monotonic() > ends_at:
                break
            try:
                happened, gone = run(seed, installation, STEPS)
            except Violation as violation:
                errors = "\n".join(_errors(service.log()) for service in installation.services)
                raise Violation(f"seed {seed}: {violation}\n{errors}") from violation
            steps += CLIENTS * STEPS
            faults += happened
            deleted |= gone
        if SOAK_SECONDS:
            wait_until(
                lambda: not installation.remains(deleted), lambda: f"left: {installation.remains(deleted)}"
            )
    if SOAK_SECONDS:
        report(f"{steps} steps with {faults.total()} faults and no violation: {dict(faults)}")
