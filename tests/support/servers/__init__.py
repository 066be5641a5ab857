"""The real servers that tests run against, each on a free port of the loopback interface."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import patience

START_SECONDS = patience(60)
# Set where tests run that must not need a server (make test-quick).
WITHOUT_SERVERS = os.environ.get("TEST_WITHOUT_SERVERS") == "1"


def free_ports(count: int, below: int = 65536) -> list[int]:
    """Ports that nothing listens on, held open until all are found so that none comes twice."""
    held: list[socket.socket] = []
    ports: list[int] = []
    while len(ports) < count:
        held.append(socket.socket())
        held[-1].bind(("127.0.0.1", 0))
        port = held[-1].getsockname()[1]
        if port < below:
            ports.append(port)
    for each in held:
        each.close()
    return ports


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
