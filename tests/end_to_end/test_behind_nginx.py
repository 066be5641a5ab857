"""The service as a team runs it: nginx, four workers on a unix socket, PostgreSQL, Redis and S3."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.support.client import SESSION_ID
from tests.support.load import load
from tests.support.paths import ROOT
from tests.support.recorded import document_bytes
from tests.support.servers import free_ports, wait_until
from tests.support.servers.gunicorn import gunicorn_on
from tests.support.servers.nginx import nginx
from tests.support.servers.postgres import Cluster, postgres_cluster, run_sql
from tests.support.servers.redis import redis_server

SESSION = document_bytes("rate-limit-feature")
SOCKET = "/run/better-share/better-share.sock"


@dataclass
class Team:
    """A running installation; what can fail in it can be taken down and brought back."""

    address: str
    folder: Path
    database: Cluster
    service: subprocess.Popen[bytes]
    redis_port: int
    http: urllib3.PoolManager
    postgres: ExitStack = field(default_factory=ExitStack)
    redis: ExitStack = field(default_factory=ExitStack)

    def ask(self, method: str, path: str, **options: object) -> urllib3.BaseHTTPResponse:
        return self.http.request(method, self.address + path, redirect=False, retries=False, **options)

    def create(self, share_id: str, **options: object) -> urllib3.BaseHTTPResponse:
        wanted = {"shareId": share_id, "sessionId": SESSION_ID, "size": len(SESSION)}
        return self.ask("POST", "/api/share/presign", json=wanted, **options)

    def share(self, share_id: str) -> dict[str, object]:
        """A share with its document; what its creation answered."""
        created = self.create(share_id)
        assert created.status == 201, created.data
        answer: dict[str, object] = created.json()
        uploaded = self.http.request("PUT", answer["presignedUrl"], body=SESSION, headers=answer["headers"])
        assert uploaded.status == 200, uploaded.data
        return answer

    def forget_limits(self) -> None:
        """Wherever they are counted: for a while after Redis is back that may be the database."""
        run_sql(self.database.url, "DELETE FROM rate_limit_counts", "shares")
        subprocess.run(["redis-cli", "-p", str(self.redis_port), "FLUSHALL"], check=True, capture_output=True)

    def start_postgres(self) -> None:
        self.postgres.enter_context(self.database.running())

    def start_redis(self) -> None:
        self.redis.enter_context(redis_server(self.folder, self.redis_port))


@pytest.fixture(scope="module")
def installed(
    tmp_path_factory: pytest.TempPathFactory, s3_peer: tuple[dict[str, str], str]
) -> Iterator[Team]:
    s3, _ = s3_peer
    folder = tmp_path_factory.mktemp("team")
    socket = folder / "better-share.sock"
    uploads = (ROOT / "deploy/nginx-s3.conf").read_text().replace("http://s3:8333", s3["S3_ENDPOINT"])
    [redis_port] = free_ports(1)
    with ExitStack() as stack:
        cluster = stack.enter_context(postgres_cluster())
        address = stack.enter_context(nginx(folder, {SOCKET: str(socket)}, uploads))
        trusted = urllib3.PoolManager(maxsize=50, ca_certs=str(folder / "fullchain.pem"))
        postgres, redis = stack.enter_context(ExitStack()), stack.enter_context(ExitStack())
        postgres.enter_context(cluster.running())
        run_sql(cluster.url, "CREATE DATABASE shares")
        redis.enter_context(redis_server(folder, redis_port))
        settings = {
            **s3,
            "BASE_URL": address,
            "DATABASE_URL": f"{cluster.url}/shares",
            "S3_PRESIGN_ENDPOINT": address,
            "RATELIMIT_STORAGE_URI": f"redis://127.0.0.1:{redis_port}",
            "TRUSTED_PROXIES": "1",
            "AUTH_PROXY_HEADER": "Remote-User",
            "AUTH_PROXY_FROM": "unix",
            "AUTH_PROXY_GROUPS_HEADER": "Remote-Groups",
            "ADMINS": "group:admins",
            "WEB_CONCURRENCY": "4",
            "LOG_FORMAT": "json",
            "METRICS_ENABLED": "true",
        }
        service = stack.enter_context(gunicorn_on(socket, **settings))
        yield Team(address, folder, cluster, service, redis_port, trusted, postgres, redis)


@pytest.fixture
def team(installed: Team) -> Team:
    """The installation, with nothing counted against anybody."""
    installed.forget_limits()
    return installed


def test_a_share_lives_and_dies_through_nginx(team: Team) -> None:
    answer = team.share("LifeLife")
    assert urlsplit(str(answer["presignedUrl"])).netloc == urlsplit(team.address).netloc
    page = team.ask("GET", "/share/LifeLife")
    assert page.status == 200
    assert b"Add per-client rate limiting to the order API" in page.data
    assert json.loads(team.ask("GET", "/api/share/LifeLife").data)["sessionId"]
    deleted = team.ask("DELETE", "/api/share/LifeLife", headers={"X-Share-Secret": answer["secret"]})
    assert deleted.json() == {"ok": True}
    assert team.ask("GET", "/share/LifeLife").status == 404
    assert team.ask("GET", "/api/share/LifeLife").status == 404


def test_ten_of_forty_creations_pass_and_a_forged_address_changes_nothing(team: Team) -> None:
    def create(number: int) -> int:
        return team.create(f"forty{number}", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(create, range(40))) == {201: 10, 429: 30}


def test_pages_and_assets_are_compressed_once_and_json_by_nginx(team: Team) -> None:
    team.share("Encoding")
    page = "/share/Encoding"
    asset = re.search(r'href="(/static/bundles/session[^"]+)"', team.ask("GET", page).data.decode())
    assert asset
    for path in (page, asset[1], "/api/share/Encoding"):
        plain = team.ask("GET", path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        for encoding in ("br", "gzip"):
            packed = team.ask("GET", path, headers={"Accept-Encoding": encoding}, decode_content=False)
            assert packed.headers["Content-Encoding"] == encoding
            assert "Accept-Encoding" in packed.headers["Vary"]
            assert len(packed.data) < len(plain.data) / 2
            assert team.ask("GET", path, headers={"Accept-Encoding": encoding}).data == plain.data


def test_assets_are_served_from_the_cache_of_nginx(team: Team) -> None:
    asset = re.search(r'href="(/static/bundles/landing[^"]+)"', team.ask("GET", "/").data.decode())
    assert asset
    first, second = (team.ask("GET", asset[1]) for _ in range(2))
    assert first.data == second.data
    assert "immutable" in second.headers["Cache-Control"]
    requests = [line for line in service_log(team) if line.get("route") == "/static/bundles/<name>"]
    assert sum("landing.css" in str(line["message"]) for line in requests) == 1


def test_plain_http_leads_to_https_and_metrics_to_nothing(team: Team) -> None:
    conf = (team.folder / "conf.d/0.conf").read_text()
    port = re.search(r"listen 127\.0\.0\.1:(\d+);", conf)
    assert port
    moved = urllib3.request(
        "GET", f"http://127.0.0.1:{port[1]}/share/x?page=2", redirect=False, retries=False
    )
    assert (moved.status, moved.headers["Location"]) == (301, f"{team.address}/share/x?page=2")
    assert team.ask("GET", "/metrics").status == 404


def test_logs_tell_of_the_same_requests_and_of_no_secret(team: Team) -> None:
    answer = team.share("LogsLogs")
    named = team.ask("GET", "/share/LogsLogs").headers["X-Request-ID"]
    team.ask("PUT", "/api/upload/sessions/x.json?expires=1&sig=PRESIGNED", body=b"x")
    for path in (
        "/t/TEAMTOKEN/api/share",
        "/%74/TEAMTOKEN/x",
        "//t/TEAMTOKEN/x?sig=PRESIGNED",
        "/t//TEAMTOKEN/x",
        "/T/TEAMTOKEN/x",
        "/t/%20TEAMTOKEN/x",
        "/t/%20/TEAMTOKEN/x",
        "/t/TEAMTOKEN/a%0Ab",
        "/api/share/LogsLogs_TICKETxxxxxxxxxxxxxxxx/data",
        "/api/shares/Logs_Logs_TICKETxxxxxxxxxxxxxxxx/data",
    ):
        team.ask("GET", path)
    team.ask("POST", "/t/TEAMTOKEN/api/share?sig=PRESIGNED", headers={"Content-Length": str(1 << 40)})
    ours, theirs = (team.folder / "gunicorn.log").read_text(), (team.folder / "access.log").read_text()
    [line] = [line for line in service_log(team) if line.get("request_id") == named]
    assert (line["route"], line["share_id"], line["client"]) == ("/share/<share_id>", "LogsLogs", "127.0.0.1")
    assert named in theirs
    assert "/t/***/api/share" in theirs
    assert "/api/share/LogsLogs_***/data" in theirs
    assert "PUT /shares/sessions/LogsLogs.json?***" in theirs
    errors = (team.folder / "error.log").read_text()
    for private in (str(answer["secret"]), "X-Amz-Signature", "TEAMTOKEN", "PRESIGNED", "TICKET"):
        assert private not in ours + theirs + errors


def test_nobody_forges_a_sign_in_through_nginx(team: Team) -> None:
    answer = team.share("Members1")
    secret = {"X-Share-Secret": str(answer["secret"])}
    team.ask("PATCH", "/api/share/Members1", json={"audience": "members"}, headers=secret)
    for header in ("Remote-User", "Remote_User", "REMOTE_USER"):
        forged = {header: "grace", "Remote-Groups": "admins", "Remote_Groups": "admins"}
        assert team.ask("GET", "/api/share/Members1", headers=forged).status == 401


def test_limits_stay_exact_when_redis_is_killed(team: Team) -> None:
    team.redis.close()
    try:
        with ThreadPoolExecutor(16) as pool:
            answers = Counter(pool.map(lambda number: team.create(f"killed{number}").status, range(40)))
        assert answers == {201: 10, 429: 30}
    finally:
        team.start_redis()


def test_without_postgresql_clients_are_told_to_come_back_and_then_none_fails(team: Team) -> None:
    team.share("Database")
    team.postgres.close()
    try:
        for path in ("/share/Database", "/api/share/Database", "/readyz"):
            refused = team.ask("GET", path)
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5"), path
        assert team.create("nowhere").status == 503
        assert team.ask("GET", "/healthz").status == 200
    finally:
        team.start_postgres()
    assert read_often(team, "/share/Database") == {200: 80}
    # Once more with nobody asking meanwhile, so that every worker still holds connections of before.
    team.postgres.close()
    team.start_postgres()
    assert read_often(team, "/share/Database") == {200: 80}


def test_a_reload_under_load_loses_no_request(team: Team) -> None:
    team.share("Reloaded")
    before = len(workers_started(team))
    with load(lambda: team.ask("GET", "/share/Reloaded").status) as answers:
        team.service.send_signal(signal.SIGHUP)
        wait_until(
            lambda: len(workers_started(team)) == before + 4 and sum(answers.values()) > 100,
            lambda: "the new workers never came",
        )
        done = sum(answers.values())
        wait_until(lambda: sum(answers.values()) > done + 50, lambda: "nobody is answered any more")
    assert set(answers) == {200}


def test_a_server_that_is_down_is_a_page_that_looks_again(team: Team) -> None:
    socket = team.folder / "better-share.sock"
    hidden = socket.rename(team.folder / "hidden.sock")
    try:
        page, answer = team.ask("GET", "/share/x"), team.ask("GET", "/api/share/x")
        upload = team.ask("PUT", "/api/upload/sessions/x.json?sig=PRESIGNED", body=b"x")
    finally:
        hidden.rename(socket)
    for response in (page, answer, upload):
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert b"Back in a moment" in page.data
    assert answer.json()["code"] == upload.json()["code"] == "unavailable"
    assert "PRESIGNED" not in (team.folder / "error.log").read_text()


def test_a_body_that_is_too_large_never_reaches_a_worker(team: Team) -> None:
    refused = team.ask("POST", "/api/share/presign", headers={"Content-Length": str(101 * 1024 * 1024)})
    assert (refused.status, refused.json()["code"]) == (413, "too_large")


def test_the_rate_in_comments_counts_an_ipv6_network_as_one_client(tmp_path: Path) -> None:
    use = {"# limit_req": "limit_req", "rate=20r/s": "rate=1r/m", "burst=40": "burst=1"}
    given = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;"
    with nginx(tmp_path, use, given) as address:
        reader = urllib3.PoolManager(ca_certs=str(tmp_path / "fullchain.pem"), retries=False)

        def limited(*clients: str) -> list[bool]:
            headers = [{"X-Real-IP": client} for client in clients]
            return [reader.request("GET", address, headers=one).status == 429 for one in headers]

        # Bytes that stand for line ends and letters are none here.
        within = ("2001:db8:a0a:a41::1", "2001:db8:a0a:a41::2", "2001:db8:a0a:a41:a::a")
        assert limited(*within) == [False, False, True]
        assert limited("2001:db8:a0a:a61::1", "2001:db8:a0a:a42::1", "192.0.2.1") == [False] * 3
        assert limited("192.0.2.2", "192.0.2.2", "192.0.2.2", "192.0.2.3") == [False, False, True, False]


def read_often(team: Team, path: str) -> Counter[int]:
    """How eighty readers are answered, eight of them at a time."""
    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(lambda _: team.ask("GET", path).status, range(80)))


def service_log(team: Team) -> list[dict[str, object]]:
    return [json.loads(line) for line in (team.folder / "gunicorn.log").read_text().splitlines()]


def workers_started(team: Team) -> list[dict[str, object]]:
    return [line for line in service_log(team) if "Booting worker" in str(line["message"])]
