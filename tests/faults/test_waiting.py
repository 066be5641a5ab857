"""Nothing hangs: databases and buckets that freeze, drip or hold locks, with gunicorn's workers in front."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
import urllib3
from flask import Flask
from flask.testing import FlaskClient

from app.db.locks import advisory_lock
from app.lib.background import Background
from app.services.container import services
from app.services.maintenance import clean_caches
from app.share.pages.responses import OUTAGE_STATUS
from tests.conftest import running_app
from tests.support import client as uploads
from tests.support.marks import without_rate_limits
from tests.support.patience import patience
from tests.support.recorded import document_bytes
from tests.support.servers import wait_until
from tests.support.servers.faults import HttpProxy, TcpProxy, tcp_proxy
from tests.support.servers.gunicorn import gunicorn
from tests.support.servers.s3 import s3_client
from tests.support.sync_batches import SESSION, shared, sync
from tests.support.web import fetch

WORKERS = 3
SMALL = document_bytes("single-message")
SOON = patience(5)


@pytest.fixture
def database(postgres_database: str) -> Iterator[tuple[TcpProxy, str]]:
    """A proxy in front of PostgreSQL, and the URL of a database through it."""
    parts = urlsplit(postgres_database)
    with tcp_proxy(parts.port or 0) as proxy:
        yield proxy, postgres_database.replace(f":{parts.port}/", f":{proxy.port}/")


@pytest.fixture
def address(database: tuple[TcpProxy, str], tmp_path: Path) -> Iterator[str]:
    with gunicorn(
        tmp_path,
        DATABASE_URL=database[1],
        DATABASE_TIMEOUT="1",
        WEB_CONCURRENCY=str(WORKERS),
        RATELIMIT_ENABLED="false",
    ) as address:
        yield address


def upload(address: str, share_id: str) -> str:
    """A share with a session; its secret."""
    body = {"shareId": share_id, "sessionId": "ses_1"}
    status, answer = fetch("POST", f"{address}/api/share/presign", body)
    assert status == 201
    created = json.loads(answer)
    assert fetch("PUT", created["presignedUrl"], json.loads(SMALL))[0] == 200
    return str(created["secret"])


def upload_to(bucket: dict[str, str], address: str, share_id: str) -> None:
    body = {"shareId": share_id, "sessionId": "ses_1"}
    assert fetch("POST", f"{address}/api/share/presign", body)[0] == 201
    s3_client(bucket).put_object(Bucket="shares", Key=f"sessions/{share_id}.json", Body=SMALL)


def header(address: str, path: str, name: str) -> str | None:
    """A header of the answer, which is 200."""
    return urllib3.request("GET", f"{address}{path}", retries=False, timeout=SOON).headers.get(name)


def read_by_all(address: str, path: str, count: int = 4 * WORKERS) -> list[tuple[int, float]]:
    """Status and seconds of readers who come at the same time."""

    def read(_: int) -> tuple[int, float]:
        started = time.monotonic()
        status, _ = fetch("GET", f"{address}{path}")
        return status, time.monotonic() - started

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(read, range(count)))


def test_a_frozen_database_holds_nobody_up_and_readers_get_what_is_cached(
    database: tuple[TcpProxy, str], address: str
) -> None:
    proxy, _ = database
    upload(address, "frozen")
    assert {status for status, _ in read_by_all(address, "/share/frozen", 40)} == {200}
    assert header(address, "/share/frozen", "Cache-Status") is None
    proxy.freeze()
    unknown = read_by_all(address, "/share/unknown")
    assert {status for status, _ in unknown} == {503}
    assert max(seconds for _, seconds in unknown) < SOON
    assert fetch("GET", f"{address}/healthz", timeout=SOON)[0] == 200
    assert header(address, "/share/frozen", "Cache-Status") == OUTAGE_STATUS
    cached = read_by_all(address, "/share/frozen")
    assert {status for status, _ in cached} == {200}
    assert (
        fetch("POST", f"{address}/api/share/presign", {"shareId": "GhIjKlMn", "sessionId": "y"}, SOON)[0]
        == 503
    )
    proxy.thaw()
    wait_until(lambda: fetch("GET", f"{address}/share/unknown")[0] == 404, lambda: "it never came back")


def test_a_share_that_was_deleted_is_not_shown_while_the_database_is_frozen(
    database: tuple[TcpProxy, str], address: str
) -> None:
    proxy, _ = database
    secret = upload(address, "deleted")
    assert {status for status, _ in read_by_all(address, "/share/deleted", 40)} == {200}
    assert fetch("DELETE", f"{address}/api/share/deleted", {"secret": secret})[0] == 200
    proxy.freeze()
    try:
        assert {status for status, _ in read_by_all(address, "/share/deleted")} == {503}
    finally:
        proxy.thaw()


def test_a_lock_on_the_table_holds_nobody_up(database: tuple[TcpProxy, str], address: str) -> None:
    upload(address, "locked")
    connection = psycopg2.connect(database[1])
    try:
        connection.cursor().execute("LOCK TABLE shares IN ACCESS EXCLUSIVE MODE")
        refused = read_by_all(address, "/share/unknown")
        assert {status for status, _ in refused} == {503}
        assert max(seconds for _, seconds in refused) < SOON
        assert fetch("GET", f"{address}/healthz", timeout=SOON)[0] == 200
    finally:
        connection.close()
    wait_until(lambda: fetch("GET", f"{address}/share/unknown")[0] == 404, lambda: "it never came back")


def test_a_cut_connection_is_no_failure(database: tuple[TcpProxy, str], address: str) -> None:
    upload(address, "cut-share")
    for _ in range(3):
        database[0].cut()
        assert {status for status, _ in read_by_all(address, "/share/cut-share")} == {200}


def test_more_readers_than_workers_wait_for_a_bucket_that_answers(
    empty_bucket: dict[str, str], tmp_path: Path
) -> None:
    with gunicorn(
        tmp_path, WEB_CONCURRENCY=str(WORKERS), RATELIMIT_ENABLED="false", **empty_bucket
    ) as address:
        for share_id in ("cold-1", "cold-2", "cold-3", "cold-4"):
            upload_to(empty_bucket, address, share_id)
        with ThreadPoolExecutor(4) as pool:
            paths = [f"/share/cold-{number}" for number in (1, 2, 3, 4)]
            answers = list(pool.map(lambda path: read_by_all(address, path, 6), paths))
        assert {status for each in answers for status, _ in each} == {200}


@pytest.mark.parametrize("fault", ["drip", "hang"])
def test_a_bucket_that_does_not_finish_answering_leaves_a_worker_for_the_others(
    proxied_bucket: dict[str, str],
    empty_bucket: dict[str, str],
    bucket_proxy: HttpProxy,
    tmp_path: Path,
    fault: str,
) -> None:
    with gunicorn(
        tmp_path, WEB_CONCURRENCY=str(WORKERS), RATELIMIT_ENABLED="false", **proxied_bucket
    ) as address:
        for number in range(2 * WORKERS):
            upload_to(empty_bucket, address, f"cold-{number}")
        assert fetch("GET", f"{address}/share/cold-0")[0] == 200
        bucket_proxy.set(fault, "GET")
        with ThreadPoolExecutor(2 * WORKERS) as pool:
            cold = [pool.submit(read_by_all, address, f"/share/cold-{n}", 1) for n in range(1, 2 * WORKERS)]
            assert bucket_proxy.seen.wait(patience(30))
            started = time.monotonic()
            assert fetch("GET", f"{address}/healthz", timeout=SOON)[0] == 200
            assert time.monotonic() - started < SOON
            answers = [each.result()[0] for each in cold]
        assert {status for status, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < patience(25)
        bucket_proxy.set(None)
        assert fetch("GET", f"{address}/share/cold-1")[0] == 200


def test_a_store_that_hangs_does_not_keep_what_was_deleted_in_the_caches(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.share(client, SMALL)
    client.get("/share/GhIjKlMn")

    def hang(*_: object, **__: object) -> None:
        raise AssertionError("the store was asked")

    with app.app_context():
        services().shares.delete_unchecked("GhIjKlMn")
        for name in ("open", "list", "info", "delete", "put", "check"):
            monkeypatch.setattr(type(services().store), name, hang)
        assert services().cache_keys()
        clean_caches()
        assert not services().cache_keys()


def test_tasks_that_hang_take_their_places_and_no_more(never: Callable[[], None]) -> None:
    background = Background(2)
    done: list[str] = []
    assert background.start("a", never, timeout=1)
    assert background.start("b", lambda: done.append("b"), timeout=patience(30))
    assert background.start("c", lambda: done.append("c"), timeout=patience(30))
    assert background.start("a", lambda: done.append("a"), timeout=1)
    assert background.start("d", never, timeout=patience(30))
    assert not background.start("e", lambda: done.append("e"), timeout=0.01)
    assert done == ["b", "c"]


@pytest.fixture
def never() -> Iterator[Callable[[], None]]:
    over = threading.Event()
    yield lambda: over.wait() and None
    over.set()


@without_rate_limits
def test_a_sync_that_would_have_to_wait_for_another_is_told_to_come_back(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(json.dumps(SESSION)) + 20_000
    with running_app({**settings, "MAX_SESSION_BYTES": str(size)}) as app:
        client = app.test_client()
        share = shared(client, SESSION)
        near_the_cap = [{"type": "hologram", "data": {"id": "big", "text": "x" * 18_000}}]
        with app.app_context(), advisory_lock(share["id"]), ThreadPoolExecutor(1) as pool:
            refused = pool.submit(sync, app.test_client(), share, near_the_cap).result()
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert sync(client, share, near_the_cap).status_code == 200
