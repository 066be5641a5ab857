"""Two servers on one PostgreSQL and one bucket, behind nginx with a certificate."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2

from benchmarks.service import NO_REFUSALS
from tests.support.paths import ROOT
from tests.support.servers import answers, free_ports, wait_until
from tests.support.servers.gunicorn import PROGRAMS, environment
from tests.support.servers.nginx import nginx, renew_certificate
from tests.support.servers.postgres import postgres, run_sql
from tests.support.servers.s3 import s3_server

DATABASE = "day"
# What deploy/nginx.conf has for a single server.
UPSTREAM = "server unix:/run/better-share/better-share.sock fail_timeout=0;"
WORKERS = 2
RETRY_SECONDS = 2
STOP_SECONDS = 60
# A line of a log between its time and id, and the fields that it ends with.
WARNING = re.compile(r"^\S+ ((?:WARNING|ERROR) \S+ )\S+ (.*?)(?: \w+=\S+)*$", re.MULTILINE)
# Of `/metrics`, by the columns of the table.
GAUGES = {
    "memory": "memory_bytes",
    "files": "open_files",
    "threads": "threads",
    "processes": "processes",
    "cache": "cache_size_bytes",
}


class Server:
    """One gunicorn; its log grows in `log`, and the logs before it lie beside that."""

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str]) -> None:
        folder.mkdir()
        self.log = folder / "log"
        self.port = port
        self._rotations = 0
        self._environment = environment({**settings, "DATA_DIR": f"{folder}/data", "PORT": str(port)})
        self._environment["PATH"] = f"{PROGRAMS}:{self._environment['PATH']}"

    def start(self) -> None:
        """Returns once it answers."""
        with self.log.open("ab") as log:
            command = [ROOT / "deploy/start.sh"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)  # noqa: S603
        wait_until(lambda: answers(self.port), self.log.read_text, lambda: self._process.poll() is None)

    def stop(self) -> None:
        """As systemd does: requests that are under way are answered first."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOP_SECONDS)

    def reload(self) -> None:
        """Replaces the workers."""
        self._process.send_signal(signal.SIGHUP)

    def rotate_log(self) -> None:
        """As logrotate does with `copytruncate`."""
        self._rotations += 1
        shutil.copy(self.log, self.log.with_suffix(f".{self._rotations}"))
        with self.log.open("r+b") as log:
            log.truncate()

    def warnings(self) -> Counter[str]:
        """What it has warned of, without times and ids."""
        logs = "".join(path.read_text() for path in self.log.parent.glob(f"{self.log.name}*"))
        return Counter(map("".join, WARNING.findall(logs)))

    def gauges(self) -> dict[str, float]:
        """What it holds, as it tells Prometheus."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            text = answer.read().decode()
        found = dict(re.findall(r"^better_share_(\w+) (\S+)$", text, re.MULTILINE))
        return {column: float(found[name]) for column, name in GAUGES.items()}


class Servers:
    """Both servers, and what they have in common."""

    def __init__(
        self, servers: list[Server], proxy: Path, address: str, database_url: str, settings: Mapping[str, str]
    ) -> None:
        self.address = address
        self._all = servers
        self._proxy = proxy
        self._database_url = database_url
        self._environment = environment(settings)

    def restart_one_by_one(self) -> None:
        for server in self._all:
            server.stop()
            server.start()
            # nginx asks a server that refused connections only after its `fail_timeout`.
            time.sleep(RETRY_SECONDS)

    def reload(self) -> None:
        for server in self._all:
            server.reload()

    def rotate_logs(self) -> None:
        for server in self._all:
            server.rotate_log()

    @property
    def certificate(self) -> Path:
        """That of nginx, which clients have to trust."""
        return self._proxy / "fullchain.pem"

    def renew_certificate(self) -> None:
        renew_certificate(self._proxy)

    def shares(self, *words: str) -> None:
        """Runs a command of the operator."""
        command = [PROGRAMS / "flask", "--app", "wsgi", "shares", *words]
        subprocess.run(command, cwd=ROOT, env=self._environment, check=True, capture_output=True)  # noqa: S603

    def warnings(self) -> Counter[str]:
        """What all servers have warned of."""
        return sum((server.warnings() for server in self._all), Counter())

    def sample(self) -> dict[str, float]:
        """What all servers and the database hold now, added up."""
        gauges = [server.gauges() for server in self._all]
        added = {name: sum(gauge[name] for gauge in gauges) for name in GAUGES}
        with psycopg2.connect(self._database_url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()), "
                "(SELECT count(*) FROM shares WHERE deleted_at IS NULL)"
            )
            row = cursor.fetchone()
        connection.close()
        return {**added, **dict(zip(("database", "connections", "shares"), row, strict=True))}


@contextmanager
def two_servers(folder: Path, settings: Mapping[str, str]) -> Iterator[Servers]:
    with ExitStack() as stack:
        bucket, _ = stack.enter_context(s3_server())
        url = stack.enter_context(postgres())
        run_sql(url, f"CREATE DATABASE {DATABASE}")
        database_url = f"{url}/{DATABASE}"
        common = {
            **bucket,
            **NO_REFUSALS,
            "DATABASE_URL": database_url,
            "METRICS_ENABLED": "true",
            "TRUSTED_PROXIES": "1",
            "WEB_CONCURRENCY": str(WORKERS),
            "BASE_URL": "http://127.0.0.1:8000",
            **settings,
        }
        servers = [
            Server(folder / f"server-{number}", port, common)
            for number, port in enumerate(free_ports(2), start=1)
        ]
        for server in servers:
            server.start()
            stack.callback(server.stop)
        proxy = folder / "nginx"
        proxy.mkdir()
        upstreams = " ".join(f"server 127.0.0.1:{server.port} fail_timeout=1s;" for server in servers)
        address = stack.enter_context(nginx(proxy, {UPSTREAM: upstreams}))
        operator = {**common, "DATA_DIR": str(folder / "operator")}
        yield Servers(servers, proxy, address, database_url, operator)
