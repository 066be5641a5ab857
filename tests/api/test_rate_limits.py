"""Rate limits: what they count, what they answer, and that they are exact across workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits.storage import RedisStorage
from redis import Connection, Redis

from app.services.rate_limits import limiter
from tests.conftest import running_app
from tests.support.client import SESSION_ID, create, renew
from tests.support.servers import free_ports
from tests.support.servers.gunicorn import gunicorn
from tests.support.servers.redis import redis_server

pytestmark = pytest.mark.settings(
    RATELIMIT_CREATE="3/hour", RATELIMIT_API="5/minute", RATELIMIT_SHARE="7/minute"
)


def test_creations_are_limited_by_address(client: FlaskClient) -> None:
    answers = [create(client, f"share{number}").status_code for number in range(4)]
    assert answers == [201, 201, 201, 429]
    elsewhere = client.post(
        "/api/share/presign",
        json={"shareId": "other-share", "sessionId": SESSION_ID},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert elsewhere.status_code == 201


def refusal_of(client: FlaskClient, path: str, **options: Any) -> str:
    """What is answered once a limit is exceeded."""
    answers = (client.post(path, **options) for _ in range(12))
    refused = next(answer.get_json() for answer in answers if answer.status_code == 429)
    assert refused["code"] == "rate_limited"
    sentence: str = refused["error"]
    return sentence


def test_a_refusal_names_the_setting_of_its_limit(app: Flask, client: FlaskClient) -> None:
    wanted = {"shareId": "share-1", "sessionId": SESSION_ID}
    secret = create(client, "share-1").get_json()["secret"]
    assert "The limit is 3/hour, which RATELIMIT_CREATE sets" in refusal_of(
        client, "/api/share/presign", json=wanted
    )
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    assert "The limit is 5/minute, which RATELIMIT_API sets" in refusal_of(
        client, "/api/share/unknown/presign", json={}, **elsewhere
    )
    assert "The limit is 7/minute, which RATELIMIT_SHARE sets" in refusal_of(
        client, "/api/share/share-1/presign", json={}, headers={"X-Share-Secret": secret}
    )


def answers_to(client: FlaskClient, *addresses: str) -> list[int]:
    return [
        client.get("/api/share/unknown", environ_base={"REMOTE_ADDR": address}).status_code
        for address in addresses
    ]


def test_the_addresses_of_an_ipv6_network_count_together(client: FlaskClient) -> None:
    within = [f"2001:db8:0:1::{number:x}:{number}" for number in range(1, 7)]
    assert answers_to(client, *within) == [404] * 5 + [429]
    assert answers_to(client, "2001:DB8:0:1:FFFF:FFFF:FFFF:FFFF", "2001:db8:0:2::1") == [429, 404]
    created = [
        client.post(
            "/api/share/presign",
            json={"shareId": f"share{number}", "sessionId": SESSION_ID},
            environ_base={"REMOTE_ADDR": f"2001:db8:0:3::{number}"},
        ).status_code
        for number in range(4)
    ]
    assert created == [201, 201, 201, 429]


def test_an_ipv4_address_counts_as_itself_however_it_is_written(client: FlaskClient) -> None:
    assert answers_to(client, *["192.0.2.1", "::ffff:192.0.2.1"] * 3) == [404] * 5 + [429]
    assert answers_to(client, "192.0.2.2", "::ffff:192.0.2.3") == [404, 404]


def test_what_is_no_address_counts_as_it_is(client: FlaskClient) -> None:
    assert answers_to(client, *["unknown"] * 6) == [404] * 5 + [429]
    assert answers_to(client, "", "fe80::1%eth0") == [404, 404]


def test_attempts_to_create_count_also_when_they_fail(client: FlaskClient) -> None:
    answers = [create(client, share_id).status_code for share_id in ("first1", "first1", "../", "second")]
    assert answers == [201, 409, 400, 429]


def test_too_many_requests_are_answered_with_when_to_come_back(client: FlaskClient) -> None:
    for number in range(3):
        create(client, f"share{number}")
    refused = create(client, "share4")
    assert refused.get_json()["code"] == "rate_limited"
    assert refused.headers["RateLimit-Limit"] == "3"
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert 3500 < int(refused.headers["Retry-After"]) <= 3600
    assert refused.headers["RateLimit-Reset"] == refused.headers["Retry-After"]


def test_every_answer_says_how_many_requests_are_left(client: FlaskClient) -> None:
    left = [client.get("/api/share/unknown").headers["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["4", "3", "2"]
    assert "Retry-After" not in client.get("/api/share/unknown").headers


def test_requests_with_the_secret_count_against_their_share(client: FlaskClient) -> None:
    secret = create(client).get_json()["secret"]
    answers = [renew(client, "GhIjKlMn", secret).status_code for _ in range(8)]
    assert answers == [200] * 7 + [429]
    assert client.get("/api/share/unknown").headers["RateLimit-Remaining"] == "3"


def test_renewing_by_creating_again_is_no_creation(client: FlaskClient) -> None:
    secret = create(client).get_json()["secret"]
    answers = [create(client, secret=secret).status_code for _ in range(8)]
    assert answers == [200] * 7 + [429]


def test_creations_are_requests_as_well(settings: dict[str, str]) -> None:
    with running_app({**settings, "RATELIMIT_CREATE": "1000/hour", "RATELIMIT_API": "2/minute"}) as app:
        answers = [create(app.test_client(), f"share{number}").status_code for number in range(3)]
    assert answers == [201, 201, 429]


def test_guessing_secrets_counts_against_the_address(client: FlaskClient) -> None:
    create(client)
    answers = [renew(client, "GhIjKlMn", f"guess{number}").status_code for number in range(5)]
    assert answers == [401] * 4 + [429]


def test_pages_and_health_checks_are_not_counted(client: FlaskClient) -> None:
    answers = {client.get(path).status_code for path in ["/healthz", "/api/health", "/share/none"] * 5}
    assert answers == {200, 404}


def test_a_forged_address_does_not_count(client: FlaskClient) -> None:
    answers = [
        client.get("/api/share/unknown", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(6)
    ]
    assert answers == [404] * 5 + [429]


def test_the_address_behind_a_trusted_proxy_counts(settings: dict[str, str]) -> None:
    with running_app({**settings, "RATELIMIT_API": "1/minute", "TRUSTED_PROXIES": "1"}) as app:
        client = app.test_client()
        answers = [
            client.get("/api/share/x", headers={"X-Forwarded-For": chain}).status_code
            for chain in ("192.0.2.1", "192.0.2.2", "192.0.2.9, 192.0.2.1")
        ]
    assert answers == [404, 404, 429]


@pytest.mark.parametrize(
    "spellings",
    [
        ("192.0.2.1", "192.0.2.1:5678", "192.0.2.1:80"),
        ("2001:db8::1", "[2001:db8::1]:5678", "[2001:db8::2]", '"[2001:db8::3]:80"'),
        ("::ffff:192.0.2.7", "192.0.2.7:99", "[::ffff:192.0.2.7]:1"),
        ("unknown", "unknown", "unknown"),
    ],
)
def test_a_visitor_is_one_with_and_without_a_port(
    settings: dict[str, str], spellings: tuple[str, ...]
) -> None:
    with running_app({**settings, "RATELIMIT_API": "2/minute", "TRUSTED_PROXIES": "1"}) as app:
        client = app.test_client()
        answers = [
            client.get("/api/share/x", headers={"X-Forwarded-For": spelling}).status_code
            for spelling in (*spellings, "198.51.100.1")
        ]
    assert answers == [404, 404, *[429] * (len(spellings) - 2), 404]


def test_counts_of_windows_that_have_closed_are_swept(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        assert limiter.storage.incr("old", expiry=10) == 1
    monkeypatch.setattr("app.services.rate_limit_storage.time.time", lambda: 4e9)
    with app.app_context():
        assert limiter.storage.get("old") == 0
        assert limiter.storage.incr("new", expiry=10) == 1
    monkeypatch.setattr("app.services.rate_limit_storage.time.time", lambda: 1e9)
    with app.app_context():
        assert limiter.storage.get("old") == 0


def test_a_request_whose_clock_is_behind_counts_in_the_window_of_the_others(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(seconds: float) -> int:
        monkeypatch.setattr("app.services.rate_limit_storage.time.time", lambda: 1e9 + seconds)
        with app.app_context():
            return limiter.storage.incr("key", expiry=10)

    assert [count(0.002), count(0.001), count(-5), count(-3600)] == [1, 2, 3, 1]


def create_over_http(address: str, number: int) -> int:
    body = json.dumps({"shareId": f"share{number}", "sessionId": SESSION_ID}).encode()
    request = urllib.request.Request(f"{address}/api/share/presign", data=body, method="POST")
    try:
        with urllib.request.urlopen(request) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.server
@pytest.mark.parametrize("storage", ["sqlite", "postgresql", "redis"])
def test_ten_of_forty_parallel_creations_pass_four_workers(
    request: pytest.FixtureRequest, tmp_path: Path, storage: str
) -> None:
    settings = {"WEB_CONCURRENCY": "4"}
    if storage == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgres_database")
    if storage == "redis":
        settings["RATELIMIT_STORAGE_URI"] = request.getfixturevalue("redis_url")
    with gunicorn(tmp_path, **settings) as address, ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(lambda number: create_over_http(address, number), range(40)))
    assert answers == {201: 10, 429: 30}


@pytest.mark.server
def test_the_database_counts_while_redis_is_gone_and_redis_once_it_is_back(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.rate_limit_storage.RETRY_SECONDS", 0)
    [port] = free_ports(1)
    limits = {"RATELIMIT_API": "3/hour", "RATELIMIT_STORAGE_URI": f"redis://127.0.0.1:{port}"}
    with running_app({**settings, **limits}) as app:
        client = app.test_client()

        def left() -> str:
            return client.get("/api/share/unknown").headers["RateLimit-Remaining"]

        with redis_server(tmp_path, port):
            assert left() == "2"
        assert [left(), left()] == ["2", "1"]
        with redis_server(tmp_path, port):
            assert left() == "2"
        assert left() == "0"


@pytest.mark.server
def test_what_a_slow_redis_may_have_counted_is_not_sent_to_it_again(
    settings: dict[str, str], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = Redis.from_url(redis_url)
    server = redis.info("server")["process_id"]
    connect = Connection._connect

    def awake_for(connection: Connection) -> socket.socket:
        os.kill(server, signal.SIGCONT)
        return connect(connection)

    with running_app({**settings, "RATELIMIT_STORAGE_URI": redis_url}) as app:
        client = app.test_client()
        client.get("/api/share/unknown")
        os.kill(server, signal.SIGSTOP)
        monkeypatch.setattr(Connection, "_connect", awake_for)
        client.get("/api/share/unknown")
        os.kill(server, signal.SIGCONT)
    [key] = redis.keys("LIMITS*")
    assert redis.get(key) == b"2"


def test_a_redis_that_is_gone_is_left_alone_for_a_while(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    incr = RedisStorage.incr
    monkeypatch.setattr(RedisStorage, "incr", lambda *args, **named: asked.append(1) or incr(*args, **named))
    with running_app({**settings, "RATELIMIT_STORAGE_URI": "redis://127.0.0.1:9"}) as app:
        client = app.test_client()
        assert [client.get("/api/share/unknown").status_code for _ in range(3)] == [404] * 3
    assert len(asked) == 1


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with redis_server(tmp_path) as url:
        yield url
