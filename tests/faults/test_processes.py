"""Masters and workers that are killed, stopped, reloaded or replaced while requests wait."""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import urllib3

from tests.faults.service import WORKERS, Service
from tests.faults.service import service as running_service
from tests.support.load import LOADERS, load
from tests.support.servers import free_ports, wait_until
from tests.support.servers.gunicorn import started
from tests.support.servers.nginx import nginx
from tests.support.web import fetch, is_healthy

LOCAL_SERVER = "server unix:/run/better-share/better-share.sock fail_timeout=0;"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path) as service:
        yield service


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_idle_workers_end_with_their_master_and_another_takes_the_port(
    service: Service, tmp_path: Path
) -> None:
    service.upload("kept-share")
    workers = service.workers()
    service.process.kill()
    service.process.wait()
    port = service.address.rpartition(":")[2]
    # Asking would wake the old workers.
    with started(tmp_path, lambda: "Booting worker" in service.log(), PORT=port):
        assert service.ask("GET", "/share/kept-share")[0] == 200
        wait_until(lambda: not any(map(is_running, workers)), lambda: "a worker outlived its master")


@pytest.mark.parametrize("pick", ["one", "all"])
def test_killed_workers_are_replaced(service: Service, pick: str) -> None:
    service.upload("kept-share")
    before = service.workers()
    killed = before if pick == "all" else {min(before)}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(service.workers() - killed) == WORKERS, service.log)
    assert service.ask("GET", "/share/kept-share")[0] == 200


def test_who_waits_for_a_worker_is_answered_before_the_server_stops(tmp_path: Path) -> None:
    with running_service(tmp_path, WEB_CONCURRENCY="1") as service, ThreadPoolExecutor(4) as pool:
        service.upload("kept-share")
        [worker] = service.workers()
        port = int(service.address.rpartition(":")[2])
        os.kill(worker, signal.SIGSTOP)
        asked = [pool.submit(service.ask, "GET", "/share/kept-share") for _ in range(4)]
        wait_until(lambda: waiting_connections(port) == 4, lambda: "they never connected")
        service.process.terminate()
        wait_until(lambda: "Handling signal: term" in service.log(), service.log)
        os.kill(worker, signal.SIGCONT)
        assert [each.result()[0] for each in asked] == [200] * 4
        service.process.wait()


def waiting_connections(port: int) -> int:
    """Connections in the queue of a listening port; see proc_net_tcp in the kernel's documentation."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        int(queues.partition(":")[2], 16)
        for _, local, _, state, queues, *_ in lines
        if state == "0A" and int(local.partition(":")[2], 16) == port
    )


def test_a_start_waits_for_the_port_and_says_so(tmp_path: Path) -> None:
    [port] = free_ports(1)
    log = tmp_path / "gunicorn.log"
    with socket.create_server(("127.0.0.1", port)) as occupant:

        def is_ready() -> bool:
            if "waiting for it to end (PORT sets another one)" in log.read_text():
                occupant.close()
            return is_healthy(f"http://127.0.0.1:{port}/healthz")

        with started(tmp_path, is_ready, PORT=str(port)):
            assert fetch("GET", f"http://127.0.0.1:{port}/healthz")[0] == 200


def test_servers_behind_nginx_are_replaced_one_by_one_and_no_request_fails(
    tmp_path: Path, postgres_database: str, s3_settings: dict[str, str]
) -> None:
    settings = {**s3_settings, "DATABASE_URL": postgres_database, "TRUSTED_PROXIES": "1"}
    settings |= {"RATELIMIT_ENABLED": "false", "WEB_CONCURRENCY": "2"}
    ports = free_ports(2)

    def start(port: int) -> ExitStack:
        folder = tmp_path / str(port)
        folder.mkdir(exist_ok=True)
        health = f"http://127.0.0.1:{port}/healthz"
        with ExitStack() as stack:
            stack.enter_context(started(folder, lambda: is_healthy(health), PORT=str(port), **settings))
            return stack.pop_all()

    with ExitStack() as running:
        servers = [running.enter_context(start(port)) for port in ports]
        upstream = "\n".join(f"server 127.0.0.1:{port} fail_timeout=1s;" for port in ports)
        address = running.enter_context(nginx(tmp_path, {LOCAL_SERVER: upstream}))
        http = urllib3.PoolManager(maxsize=LOADERS, ca_certs=str(tmp_path / "fullchain.pem"), retries=False)
        numbers = itertools.count()

        def create_and_ask() -> int:
            share = {"shareId": f"rolling{next(numbers)}", "sessionId": "ses_1"}
            created = http.request("POST", f"{address}/api/share/presign", json=share)
            # Nothing has been uploaded.
            asked = http.request("GET", f"{address}/share/{share['shareId']}")
            return asked.status if created.status == 201 else created.status

        with load(create_and_ask) as answers:
            for server, port in zip(servers, ports, strict=True):
                server.close()
                running.push(start(port))
                log = tmp_path / str(port) / "gunicorn.log"
                wait_until(lambda: "/share/rolling" in log.read_text(), log.read_text)  # noqa: B023
    assert set(answers) == {202}
