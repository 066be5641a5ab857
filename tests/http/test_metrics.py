"""Metrics: what is counted, that workers add up, and that nobody outside sees them."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.http.metrics import EVENTS, count
from app.lib.build_id import build_id
from app.lib.release import RELEASE
from tests.conftest import running_app
from tests.support.client import delete, share
from tests.support.recorded import document_bytes
from tests.support.servers import answers, free_ports
from tests.support.servers.gunicorn import started


def values(text: str) -> dict[str, float]:
    """The samples of an exposition by name and labels."""
    return {
        name: float(value) for name, value in re.findall(r"^(better_share\S*) (\S+)$", text, re.MULTILINE)
    }


def test_without_being_asked_for_there_are_none(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404


def test_requests_are_counted_by_route_and_not_by_what_a_stranger_typed(settings: dict[str, str]) -> None:
    with running_app({**settings, "METRICS_ENABLED": "true"}) as app:
        client = app.test_client()
        for path in ("/share/one", "/share/two", "/typed-by-a-stranger", "/typed-again"):
            client.get(path)
        client.open("/typed", method="INVENTED")
        found = values(client.get("/metrics").text)
    requests = {name: value for name, value in found.items() if "requests_total" in name}
    assert requests == {
        'better_share_requests_total{method="GET",route="/share/<share_id>",status="404"}': 2,
        'better_share_requests_total{method="GET",route="none",status="404"}': 2,
        'better_share_requests_total{method="other",route="none",status="404"}': 1,
    }
    assert found['better_share_request_seconds_count{route="/share/<share_id>"}'] == 2


def test_every_event_has_a_counter(settings: dict[str, str]) -> None:
    with running_app({**settings, "METRICS_ENABLED": "true"}) as app:
        with app.app_context():
            for event in EVENTS:
                count(event)
        found = values(app.test_client().get("/metrics").text)
    assert {name for name, value in found.items() if value == 1 and name.endswith("_total")} == {
        f"better_share_{event}_total" for event in EVENTS
    }


def test_what_shares_and_their_pages_cost_is_counted(settings: dict[str, str]) -> None:
    with running_app({**settings, "METRICS_ENABLED": "true"}) as app:
        client = app.test_client()
        secret = share(client, document_bytes("single-message"))["secret"]
        for _ in range(3):
            client.get("/share/GhIjKlMn")
        delete(client, "GhIjKlMn", secret)
        found = values(client.get("/metrics").text)
    names = ("shares_created", "cache_misses", "renders", "cache_hits", "shares_deleted")
    assert [found[f"better_share_{name}_total"] for name in names] == [1, 1, 1, 2, 1]


def test_a_store_that_fails_is_counted(settings: dict[str, str]) -> None:
    dead = {
        "S3_ENDPOINT": "http://127.0.0.1:9",
        "S3_BUCKET": "b",
        "S3_ACCESS_KEY_ID": "k",
        "S3_SECRET_ACCESS_KEY": "s",
    }
    with running_app({**settings, **dead, "METRICS_ENABLED": "true"}) as app:
        client = app.test_client()
        assert client.get("/readyz").status_code == 503
        assert values(client.get("/metrics").text)["better_share_store_errors_total"] == 1


def test_the_state_of_the_server_is_read_when_it_is_scraped(settings: dict[str, str]) -> None:
    with running_app({**settings, "METRICS_ENABLED": "true", "WEB_CONCURRENCY": "7"}) as app:
        client = app.test_client()
        share(client, document_bytes("single-message"))
        secret = share(client, document_bytes("single-message"), "deleted")["secret"]
        delete(client, "deleted", secret)
        client.post("/api/share", json={"sessionID": "ses_native12"})
        client.get("/share/GhIjKlMn")
        found = values(client.get("/metrics").text)
    shares = {name: value for name, value in found.items() if name.startswith("better_share_shares{")}
    assert shares == {'better_share_shares{source="upload"}': 1, 'better_share_shares{source="native"}': 1}
    [build] = [name for name in found if name.startswith("better_share_build_info{")]
    assert f'version="{RELEASE}"' in build
    assert f'build="{build_id()}"' in build
    assert found["better_share_workers"] == 7
    assert found["better_share_cache_max_bytes"] == 1024**3
    assert 0 < found["better_share_cache_size_bytes"] < 10**6
    assert 0 < found["better_share_disk_free_bytes"] <= found["better_share_disk_size_bytes"]
    assert found["better_share_processes"] >= 1
    assert 10**6 < found["better_share_memory_bytes"] < 10**10
    assert found["better_share_cpu_seconds_total"] > 0
    assert 3 <= found["better_share_open_files"] < found["better_share_max_open_files"]


def test_without_a_database_the_rest_is_told(settings: dict[str, str]) -> None:
    with running_app({**settings, "METRICS_ENABLED": "true"}) as app:
        Path(settings["DATA_DIR"], "better-share.db").unlink()
        answer = app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert "better_share_shares{" not in answer.text
    assert "better_share_disk_free_bytes" in answer.text


def test_a_worker_that_counts_in_the_database_says_so(settings: dict[str, str]) -> None:
    redis = {"RATELIMIT_STORAGE_URI": "redis://127.0.0.1:9"}
    with running_app({**settings, **redis, "METRICS_ENABLED": "true"}) as app:
        client = app.test_client()
        name = "better_share_rate_limit_fallback_workers"
        assert values(client.get("/metrics").text)[name] == 0
        client.post("/api/share", json={"sessionID": "ses_native12"})
        assert values(client.get("/metrics").text)[name] == 1


def test_what_came_through_a_proxy_gets_none(settings: dict[str, str]) -> None:
    with running_app({**settings, "METRICS_ENABLED": "true"}) as app:
        forwarded = {"X-Forwarded-For": "192.0.2.1"}
        assert app.test_client().get("/metrics", headers=forwarded).status_code == 404


@pytest.mark.server
def test_the_workers_of_a_server_add_up_and_start_from_nothing(tmp_path: Path) -> None:
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    settings = {"METRICS_ENABLED": "true", "WEB_CONCURRENCY": "3", "PORT": str(port)}
    for _start in ("first", "after what the first run left"):
        with started(tmp_path, lambda: answers(port), **settings):
            for _ in range(30):
                urllib.request.urlopen(f"{address}/healthz").close()
            with urllib.request.urlopen(f"{address}/metrics") as answer:
                found = values(answer.read().decode())
        assert found['better_share_requests_total{method="GET",route="/healthz",status="200"}'] == 30
        assert found["better_share_busy_workers"] == 1
        # With their master.
        assert found["better_share_processes"] == 4
