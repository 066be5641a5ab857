"""The script that starts a server: several may start at once on a database that has nothing in it."""

from __future__ import annotations

import fcntl
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from tests.support.paths import ROOT
from tests.support.servers import free_ports, wait_until
from tests.support.servers.gunicorn import PROGRAMS, environment
from tests.support.servers.postgres import run_sql
from tests.support.web import is_healthy

SERVERS = 2


@dataclass
class Starting:
    """A server on its way up."""

    process: subprocess.Popen[bytes]
    log: Path
    health: str


@contextmanager
def starting(settings: dict[str, str], folder: Path) -> Iterator[list[Starting]]:
    """Several servers, on their way up all at once."""
    surroundings = environment({**settings, "WEB_CONCURRENCY": "1"})
    surroundings["PATH"] = f"{PROGRAMS}:{surroundings['PATH']}"
    servers = []
    for port in free_ports(SERVERS):
        command = [ROOT / "deploy/start.sh", "--bind", f"127.0.0.1:{port}"]
        log = folder / f"{port}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, stderr=output, env=surroundings)
        servers.append(Starting(process, log, f"http://127.0.0.1:{port}/healthz"))
    try:
        yield servers
    finally:
        for server in servers:
            server.process.terminate()
        for server in servers:
            server.process.wait()


def wait_for(condition: Callable[[], bool], servers: list[Starting]) -> None:
    wait_until(
        condition,
        explain=lambda: "\n".join(server.log.read_text() for server in servers),
        is_alive=lambda: all(server.process.poll() is None for server in servers),
    )


def are_up(servers: list[Starting]) -> bool:
    return all(is_healthy(server.health) for server in servers)


def test_servers_that_start_together_on_postgresql_migrate_one_by_one(
    postgres_url: str, tmp_path: Path
) -> None:
    name = f"empty_{uuid.uuid4().hex}"
    run_sql(postgres_url, f"CREATE DATABASE {name}")
    settings = {"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": f"{postgres_url}/{name}"}
    connection = psycopg2.connect(settings["DATABASE_URL"])
    cursor = connection.cursor()

    def waiting() -> bool:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone() == (SERVERS,)

    # The lock that the migrations take, held until all of them wait for it.
    cursor.execute("SELECT pg_advisory_xact_lock(7240517038461)")
    with starting(settings, tmp_path) as servers:
        wait_for(waiting, servers)
        connection.rollback()
        wait_for(lambda: are_up(servers), servers)
    connection.close()
    run_sql(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def test_servers_that_start_together_on_sqlite_migrate_one_by_one(tmp_path: Path) -> None:
    lock = tmp_path / "migrations.lock"
    with lock.open("w") as held:
        inode = lock.stat().st_ino
        # The kernel lists those who wait for a lock below the one who has it.
        fcntl.flock(held, fcntl.LOCK_EX)
        with starting({"DATA_DIR": str(tmp_path)}, tmp_path) as servers:
            wait_for(
                lambda: (
                    sum(
                        "->" in line and f":{inode} " in line
                        for line in Path("/proc/locks").read_text().splitlines()
                    )
                    == SERVERS
                ),
                servers,
            )
            assert not (tmp_path / "better-share.db").exists()
            fcntl.flock(held, fcntl.LOCK_UN)
            wait_for(lambda: are_up(servers), servers)
