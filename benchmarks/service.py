"""The service as people run it, and a bare Flask app under the same gunicorn."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import children, held_bytes, peak_bytes, wait_until_idle
from config import read_config
from tests.support.paths import ROOT
from tests.support.servers import answers, free_ports, running
from tests.support.servers.gunicorn import PROGRAMS, environment
from tests.support.servers.postgres import postgres, run_sql
from tests.support.servers.s3 import s3_server

WORKERS = 2
# The limiter counts as in a release, but lets the load through.
NO_REFUSALS = {
    "RATELIMIT_CREATE": "1000000/hour",
    "RATELIMIT_API": "1000000/minute",
    "RATELIMIT_SHARE": "1000000/minute",
    "RATELIMIT_SEARCH": "1000000/minute",
}
# What below DATA_DIR is no cache.
LASTING = ("better-share.db", "better-share.db-wal", "better-share.db-shm", "secret_key", "documents")
BODY_FILE = "bare-body"
BARE_CONFIG = "benchmarks/bare_gunicorn.py"


@dataclass(frozen=True)
class Running:
    """A gunicorn at `address`, with the ids of its workers."""

    address: str
    workers: list[int]

    def peak_bytes(self) -> int:
        return max(peak_bytes(pid) for pid in self.workers)

    def held_bytes(self) -> int:
        return max(held_bytes(pid) for pid in self.workers)


@dataclass(frozen=True)
class Service:
    """One way to set the service up; its data stays in `folder` from one start to the next."""

    store: str
    database: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.store}, {self.database}"

    @property
    def is_embedded(self) -> bool:
        return not self.settings

    @property
    def database_url(self) -> str:
        """As SQLAlchemy takes it."""
        return read_config({**self.settings, "DATA_DIR": f"{self.folder}/data"}).DATABASE_URL

    def migrate(self) -> None:
        command = [PROGRAMS / "flask", "--app", "wsgi", "db", "upgrade"]
        subprocess.run(command, cwd=ROOT, env=self._environment(), check=True, capture_output=True)  # noqa: S603

    @contextmanager
    def running(self) -> Iterator[Running]:
        """The service with fresh workers."""
        with _gunicorn(["wsgi:app"], self.folder, self._environment()) as started:
            yield started

    def wipe_caches(self) -> None:
        """Removes all that a server could lose without losing anything of its shares."""
        for path in (self.folder / "data").iterdir():
            if path.name in LASTING:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _environment(self) -> dict[str, str]:
        return environment({"DATA_DIR": str(self.folder / "data"), **NO_REFUSALS, **self.settings})


@contextmanager
def bare(folder: Path, body: bytes, headers: Mapping[str, str]) -> Iterator[Running]:
    """The yardstick, answering every request with these bytes."""
    (folder / BODY_FILE).write_bytes(body)
    settings = {
        "DATA_DIR": str(folder / "bare-data"),
        "BARE_BODY": str(folder / BODY_FILE),
        "BARE_HEADERS": json.dumps(dict(headers)),
    }
    with _gunicorn(
        ["--config", BARE_CONFIG, "benchmarks.bare:app"], folder, environment(settings)
    ) as started:
        yield started


@contextmanager
def services(folder: Path, with_servers: bool) -> Iterator[list[Service]]:
    """The service on its embedded parts and, if wanted, on real servers."""
    (folder / "disk").mkdir()
    embedded = Service("disk", "SQLite", folder / "disk")
    embedded.migrate()
    if not with_servers:
        yield [embedded]
        return
    with s3_server() as (settings, _), postgres() as url:
        run_sql(url, "CREATE DATABASE benchmark")
        (folder / "s3").mkdir()
        full = Service("S3", "PostgreSQL", folder / "s3", {**settings, "DATABASE_URL": f"{url}/benchmark"})
        full.migrate()
        yield [embedded, full]


@contextmanager
def _gunicorn(words: list[str], folder: Path, env: dict[str, str]) -> Iterator[Running]:
    [port] = free_ports(1)
    env = {**env, "PORT": str(port), "WEB_CONCURRENCY": str(WORKERS)}
    log = folder / f"{words[-1].partition(':')[0]}.log"
    with running([PROGRAMS / "gunicorn", *words], log, lambda: answers(port), cwd=ROOT, env=env) as process:
        while len(workers := children(process.pid)) < WORKERS:
            time.sleep(0.05)
        wait_until_idle(workers)
        try:
            yield Running(f"http://127.0.0.1:{port}", workers)
        finally:
            # Nothing is under way: two seconds less than a graceful end, and there are many.
            process.kill()
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
