"""The real servers that tests run against, each on a free port of the loopback interface."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

from tests.support.patience import patience

START_SECONDS = patience(60)
# Set where tests run that must not need a server (make test-quick).
WITHOUT_SERVERS = os.environ.get("TEST_WITHOUT_SERVERS") == "1"


# Below what Linux gives to outgoing connections (ip_local_port_range), which might take a port before its
# server.
FIRST_PORT, LAST_PORT = 10_000, 32_000
_candidates = Random(os.getpid())


def free_ports(count: int, below: int = LAST_PORT) -> list[int]:
    """Different ports that nothing listens on, chosen at random for parallel runs."""
    ports: set[int] = set()
    while len(ports) < count:
        port = _candidates.randrange(FIRST_PORT, below)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            ports.add(port)
    return list(ports)


@contextmanager
def running(
    command: list[str | Path], log: Path, is_ready: Callable[[], bool], **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server until the block ends; its output goes to `log`, which is shown when it does not start."""
    assert not WITHOUT_SERVERS, "this test needs a server: mark it with pytest.mark.server"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)  # type: ignore[call-overload]
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-4000:]}")
                time.sleep(0.05)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(patience(5))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(
    condition: Callable[[], object], explain: Callable[[], str], is_alive: Callable[[], bool] = lambda: True
) -> None:
    """Polls a condition; fails with an explanation when it does not come true, or no longer can."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert is_alive(), explain()
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
