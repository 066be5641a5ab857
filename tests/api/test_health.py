"""Health: alive without anything else, ready only when database and store answer in time."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.lib.build_id import build_id
from app.lib.release import RELEASE
from app.services.container import services


@pytest.fixture
def never_answers() -> Iterator[Callable[[], None]]:
    """What hangs until the test is over."""
    over = threading.Event()
    yield lambda: over.wait() and None
    over.set()


def test_a_server_with_all_it_needs_is_ready(client: FlaskClient) -> None:
    assert client.get("/readyz").get_json() == {
        "status": "ok",
        "database": "ok",
        "disk": "ok",
        "storage": "ok",
    }


def test_the_version_is_told_by_the_api_and_the_command(app: Flask, client: FlaskClient) -> None:
    told = client.get("/api/version")
    assert told.get_json() == {"version": RELEASE, "build": build_id()}
    printed = app.test_cli_runner().invoke(args=["version"])
    assert (printed.exit_code, printed.stdout) == (0, f"Better Share {RELEASE} (build {build_id()})\n")


def test_every_part_that_fails_is_named(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("app.api.health._write_to_disk", fail)
    monkeypatch.setattr("app.api.health._write_to_database", fail)
    body = client.get("/readyz").get_json()
    assert body["error"] == "This cannot be used at the moment: database and disk."
    assert (body["database"], body["disk"], body["storage"]) == ("failed", "failed", "ok")


def test_the_log_says_why_a_part_failed(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/path")

    monkeypatch.setattr("app.api.health._write_to_disk", fail)
    database = Path(app.config["DATA_DIR"], "better-share.db")
    database.write_bytes(b"no database " * 1000)
    client.get("/readyz")
    assert "the disk failed: ENOSPC (No space left on device)" in caplog.messages[-1]
    assert f"the database failed: DatabaseError SQLITE_NOTADB at {database}" in caplog.messages[-2]


def test_a_store_that_hangs_makes_it_unready_and_holds_nobody_up(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, never_answers: Callable[[], None]
) -> None:
    with app.app_context():
        monkeypatch.setattr(services().store, "check", never_answers)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "storage_unavailable")
    assert client.get("/healthz").status_code == 200


def test_so_does_a_database_that_hangs(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, never_answers: Callable[[], None]
) -> None:
    monkeypatch.setattr("app.api.health._write_to_database", never_answers)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(("good_seconds", "looks"), [(60, 1), (0, 3)])
def test_a_good_answer_is_given_again_for_a_moment(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, good_seconds: int, looks: int
) -> None:
    looked: list[None] = []
    monkeypatch.setattr("app.api.health.CACHE_SECONDS", good_seconds)
    with app.app_context():
        monkeypatch.setattr(services().store, "check", lambda: looked.append(None))
    assert [client.get("/readyz").status_code for _ in range(3)] == [200] * 3
    assert len(looked) == looks
