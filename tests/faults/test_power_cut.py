"""A power cut loses nothing that was acknowledged, with SQLite and documents on one disk.

The disk is an image that is copied while the server is stopped: what had not been synced is not in the copy.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.service import SMALL, Service, service
from tests.support.disks import PowerCut, require_mounts
from tests.support.servers import free_ports, wait_until
from tests.support.sync_batches import SESSION, first, items, message_items

MESSAGES = SESSION["messages"]
ROUNDS = 5


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[PowerCut]:
    require_mounts()
    disk = PowerCut(tmp_path)
    yield disk
    disk.close()


@pytest.fixture
def serve(disk: PowerCut, tmp_path: Path) -> Callable[[], AbstractContextManager[Service]]:
    """Starts a server on the disk; always at the same address, which is in pages."""
    [port] = free_ports(1)
    return lambda: service(tmp_path, PORT=str(port), DATA_DIR=str(disk.mounted_at / "data"))


def cut_the_power(disk: PowerCut, server: Service) -> None:
    processes = [server.process.pid, *server.workers()]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in processes:
            os.kill(pid, number)
        if number == signal.SIGSTOP:
            disk.cut()
    server.process.wait()
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes), server.log)


def sync(server: Service, share: dict[str, str], batch: list[dict[str, Any]]) -> None:
    body = {"secret": share["secret"], "data": batch}
    assert server.ask("POST", f"/api/share/{share['id']}/sync", body)[0] == 200


def message_ids(server: Service, share: dict[str, str]) -> list[str]:
    status, document = server.ask("GET", f"/api/share/{share['id']}")
    assert status == 200
    return [message["info"]["id"] for message in document["messages"]]


def test_what_was_acknowledged_is_there_after_a_power_cut(
    disk: PowerCut, serve: Callable[[], AbstractContextManager[Service]]
) -> None:
    with serve() as server:
        secret = server.upload("Deleted")["secret"]
        assert server.ask("GET", "/share/Deleted")[0] == 200
        _, native = server.ask("POST", "/api/share", {"sessionID": SESSION["session"]["id"]})
        sync(server, native, items(first(1)))
        for number in range(ROUNDS):
            server.upload(f"KeptShare{number}")
            sync(server, native, list(message_items(MESSAGES[1 + number])))
        assert server.ask("DELETE", "/api/share/Deleted", {"secret": secret})[0] == 200
        cut_the_power(disk, server)
    disk.restore()
    with serve() as server:
        for number in range(ROUNDS):
            assert server.ask("GET", f"/api/share/KeptShare{number}") == (200, SMALL)
            assert server.ask("GET", f"/share/KeptShare{number}")[0] == 200
        assert server.ask("GET", "/share/Deleted")[0] == 404
        assert len(message_ids(server, native)) == 1 + ROUNDS
        sync(server, native, list(message_items(MESSAGES[1 + ROUNDS])))
        assert len(message_ids(server, native)) == 2 + ROUNDS
        assert server.ask("GET", f"/share/{native['id']}")[0] == 200
        assert "Traceback" not in server.log()


def test_pages_are_right_after_a_power_cut_that_damaged_the_cache(
    disk: PowerCut, serve: Callable[[], AbstractContextManager[Service]]
) -> None:
    paths = [f"/share/PageShare{number}" for number in range(ROUNDS)]
    with serve() as server:
        for path in paths:
            server.upload(path.rpartition("/")[2])
        pages = [server.ask("GET", path) for path in paths]
        cut_the_power(disk, server)
    disk.restore()
    with serve() as server:
        assert [server.ask("GET", path) for path in paths] == pages
