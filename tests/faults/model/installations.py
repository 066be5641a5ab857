"""The installations that the model test runs against, and what can go wrong in each."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from app.storage import share_id_of
from tests.faults.service import Service, service
from tests.support.servers.faults import HttpProxy, TcpProxy
from tests.support.servers.s3 import stored_keys

Fault = Callable[[Random], AbstractContextManager[None]]


@dataclass
class Installation:
    """Running servers and the faults that may happen to them, by name."""

    services: list[Service]
    stored_keys: Callable[[], Iterable[str]]
    faults: dict[str, Fault] = field(default_factory=dict)

    @property
    def hosts(self) -> list[str]:
        return [service.address for service in self.services]

    def remains(self, deleted: set[str]) -> list[str]:
        """Objects and folders of caches of these shares."""
        objects = [key for key in self.stored_keys() if share_id_of(key) in deleted]
        caches = [path for service in self.services for path in service.data.glob("cache/*")]
        return objects + [str(path) for path in caches if path.name.rpartition(".")[0] in deleted]


@contextmanager
def on_one_disk(folder: Path, masters: int) -> Iterator[Installation]:
    """SQLite and documents in one DATA_DIR, which any number of masters share."""
    with _servers(folder, masters, DATA_DIR=str(folder / "data")) as services:
        documents = folder / "data" / "documents"

        def stored_keys() -> list[str]:
            return [str(path.relative_to(documents)) for path in documents.rglob("*") if path.is_file()]

        installation = Installation(services, stored_keys)
        _add_process_faults(installation, folder)
        yield installation


@contextmanager
def on_servers(
    folder: Path,
    hosts: int,
    database_url: str,
    database: TcpProxy,
    bucket_settings: dict[str, str],
    bucket: HttpProxy,
) -> Iterator[Installation]:
    """PostgreSQL and a bucket, each behind a proxy, and hosts with a DATA_DIR of their own."""
    port = urlsplit(database_url).port
    url = database_url.replace(f":{port}/", f":{database.port}/")
    settings = {**bucket_settings, "DATABASE_URL": url, "DATABASE_TIMEOUT": "2"}
    with _servers(folder, hosts, **settings) as services:
        installation = Installation(services, lambda: stored_keys(bucket_settings))
        _add_process_faults(installation, folder)

        @contextmanager
        def bucket_fault(random: Random) -> Iterator[None]:
            methods = random.choice([("GET",), ("PUT",), ("DELETE",), ("GET", "PUT", "HEAD", "DELETE")])
            bucket.set(random.choice(["refuse", "hang", "lost", "late", "drip"]), *methods)
            yield
            bucket.set(None)
            bucket.apply_late()

        @contextmanager
        def frozen_database(_random: Random) -> Iterator[None]:
            database.freeze()
            yield
            database.thaw()

        @contextmanager
        def cut_connections(_random: Random) -> Iterator[None]:
            database.cut()
            yield

        installation.faults |= {
            "bucket": bucket_fault,
            "frozen database": frozen_database,
            "cut connections": cut_connections,
        }
        yield installation


@contextmanager
def _servers(folder: Path, count: int, **settings: str) -> Iterator[list[Service]]:
    with ExitStack() as stack:
        services = []
        for number in range(count):
            host = folder / f"host{number}"
            host.mkdir()
            services.append(stack.enter_context(service(host, **settings)))
        yield services


def _add_process_faults(installation: Installation, folder: Path) -> None:
    @contextmanager
    def killed_worker(random: Random) -> Iterator[None]:
        for pid in sorted(random.choice(installation.services).workers())[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        yield

    @contextmanager
    def stopped_worker(random: Random) -> Iterator[None]:
        workers = sorted(random.choice(installation.services).workers())
        for number in (signal.SIGSTOP, signal.SIGCONT):
            with suppress(ProcessLookupError):
                os.kill(workers[0], number)
            if number == signal.SIGSTOP:
                yield

    @contextmanager
    def reload(random: Random) -> Iterator[None]:
        random.choice(installation.services).process.send_signal(signal.SIGHUP)
        yield

    @contextmanager
    def damaged_cache(random: Random) -> Iterator[None]:
        files = sorted(Path(root, name) for root, _, names in os.walk(folder) for name in names)
        cached = [path for path in files if path.parent.parent.name == "cache"]
        for path in random.sample(cached, min(len(cached), 20)):
            with suppress(OSError):
                content = bytearray(path.read_bytes())
                if content and path.name != ".lock":
                    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
                    path.write_bytes(content)
        yield

    installation.faults |= {
        "killed worker": killed_worker,
        "stopped worker": stopped_worker,
        "reload": reload,
        "damaged cache": damaged_cache,
    }
