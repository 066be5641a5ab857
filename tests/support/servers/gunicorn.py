"""The service as people run it: gunicorn with several workers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.servers import answers, free_ports, running

PROGRAMS = Path(sys.executable).parent
# What of the surroundings a server may see; its settings come from the test alone.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(settings)


@contextmanager
def gunicorn(folder: Path, **settings: str) -> Iterator[str]:
    """The address of the service, its database migrated; data and `gunicorn.log` are in `folder`."""
    [port] = free_ports(1)
    with started(folder, lambda: answers(port), PORT=str(port), **settings):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def gunicorn_on(socket: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The service behind a unix socket, as nginx asks it; data and `gunicorn.log` are beside it."""
    folder = socket.parent
    with started(folder, socket.exists, "--bind", f"unix:{socket}", **settings) as process:
        yield process


@contextmanager
def started(
    folder: Path, is_ready: Callable[[], bool], *options: str, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """What `make run` does, with `options` for gunicorn."""
    surroundings = environment({"DATA_DIR": str(folder / "data"), **settings})
    surroundings["PATH"] = f"{PROGRAMS}:{surroundings['PATH']}"
    command = [ROOT / "deploy/start.sh", *options]
    with running(command, folder / "gunicorn.log", is_ready, env=surroundings) as process:
        yield process
