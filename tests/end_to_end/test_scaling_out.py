"""Several servers behind one nginx, on one PostgreSQL, one Redis and one bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from tests.support.client import SESSION_ID
from tests.support.recorded import document_bytes
from tests.support.servers.gunicorn import gunicorn
from tests.support.servers.nginx import nginx
from tests.support.servers.redis import redis_server

SESSION = document_bytes("rate-limit-feature")
SERVERS = 3
LOCAL = "server unix:/run/better-share/better-share.sock fail_timeout=0;"


@dataclass
class Servers:
    """`public` is nginx, `each` the servers behind it, as if they were hosts of their own."""

    public: str
    each: list[str]
    http: urllib3.PoolManager

    def ask(self, method: str, url: str, **options: object) -> urllib3.BaseHTTPResponse:
        return self.http.request(method, url, retries=False, **options)

    def create(self, share_id: str) -> urllib3.BaseHTTPResponse:
        wanted = {"shareId": share_id, "sessionId": SESSION_ID, "size": len(SESSION)}
        return self.ask("POST", f"{self.public}/api/share/presign", json=wanted)

    def statuses(self, path: str) -> set[int]:
        return {self.ask("GET", server + path).status for server in self.each}


@pytest.fixture
def servers(tmp_path: Path, postgres_database: str, s3_settings: dict[str, str]) -> Iterator[Servers]:
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(tmp_path))
        settings = {
            **s3_settings,
            "BASE_URL": "https://share.example.com",
            "DATABASE_URL": postgres_database,
            "RATELIMIT_STORAGE_URI": redis,
            "TRUSTED_PROXIES": "1",
            "WEB_CONCURRENCY": "1",
        }
        each = []
        for number in range(SERVERS):
            folder = tmp_path / f"host{number}"
            folder.mkdir()
            each.append(stack.enter_context(gunicorn(folder, **settings)))
        lines = "\n".join(f"server {server.removeprefix('http://')};" for server in each)
        public = stack.enter_context(nginx(tmp_path, {LOCAL: lines}))
        yield Servers(public, each, urllib3.PoolManager(maxsize=20, ca_certs=str(tmp_path / "fullchain.pem")))


def test_they_are_one_server_to_everybody(servers: Servers) -> None:
    answer = servers.create("everywhere").json()
    uploaded = servers.ask("PUT", answer["presignedUrl"], body=SESSION, headers=answer["headers"])
    assert uploaded.status == 200

    # Whoever answers, it is the same page with the same version.
    pages = [servers.ask("GET", f"{server}/share/everywhere") for server in servers.each]
    assert {page.status for page in pages} == {200}
    assert len({page.data for page in pages}) == 1
    assert len({page.headers["ETag"] for page in pages}) == 1

    # A delete through one is seen by all at once, though each still holds the page.
    secret = {"X-Share-Secret": answer["secret"]}
    assert servers.ask("DELETE", f"{servers.each[0]}/api/share/everywhere", headers=secret).status == 200
    assert servers.statuses("/share/everywhere") == {404}
    assert servers.statuses("/api/share/everywhere") == {404}

    # Nine creations are left of ten an hour, whoever counts them.
    with ThreadPoolExecutor(12) as pool:
        answers = Counter(pool.map(lambda number: servers.create(f"crowd-{number}").status, range(40)))
    assert answers == {201: 9, 429: 31}
