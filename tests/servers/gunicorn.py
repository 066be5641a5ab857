"""The service as people run it: gunicorn with several workers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers import answers, free_ports, running

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
# What of the surroundings a server may see; its settings come from the test alone.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(settings)


@contextmanager
def gunicorn(folder: Path, **settings: str) -> Iterator[str]:
    """The address of the service, its database migrated; data and `gunicorn.log` are in `folder`."""
    [port] = free_ports(1)
    env = environment({"DATA_DIR": str(folder / "data"), "PORT": str(port), **settings})
    migrate = [PROGRAMS / "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(migrate, cwd=ROOT, env=env, check=True, capture_output=True)
    command = [PROGRAMS / "gunicorn", "wsgi:app"]
    with running(command, folder / "gunicorn.log", lambda: answers(port), cwd=ROOT, env=env):
        yield f"http://127.0.0.1:{port}"
