"""`flask shares` as cron runs it: processes of its own, beside each other and beside a busy server."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import SESSION_ID
from tests.support.paths import ROOT
from tests.support.patience import patience
from tests.support.recorded import document_bytes
from tests.support.servers.gunicorn import PROGRAMS, environment, gunicorn
from tests.support.servers.postgres import run_sql

DOCUMENT = document_bytes("rate-limit-feature")
SHARES = [f"share{number}" for number in range(30)]


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    settings = {"DATA_DIR": str(tmp_path / "data"), "RATELIMIT_ENABLED": "false", "WEB_CONCURRENCY": "2"}
    if request.param == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgres_database")
    return settings


@pytest.fixture
def address(settings: dict[str, str], tmp_path: Path) -> Iterator[str]:
    with gunicorn(tmp_path, **settings) as address:
        yield address


def start(settings: dict[str, str], *words: str) -> subprocess.Popen[str]:
    command = [PROGRAMS / "flask", "shares", *words, "--json"]
    return subprocess.Popen(command, cwd=ROOT, env=environment(settings), stdout=subprocess.PIPE, text=True)


def removed(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate()
    assert process.returncode == 0
    return [name for names in json.loads(output)["removed"].values() for name in names]


def send(method: str, url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, method=method, headers=sent)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def create(address: str, share_id: str, **body: object) -> dict[str, Any]:
    body = {"shareId": share_id, "sessionId": SESSION_ID, **body}
    status, answer = send("POST", f"{address}/api/share/presign", json.dumps(body).encode())
    assert status == 201
    created: dict[str, Any] = json.loads(answer)
    return created


def upload(answer: dict[str, Any]) -> int:
    return send("PUT", answer["presignedUrl"], DOCUMENT, Content_Type="application/json")[0]


def documents(settings: dict[str, str]) -> set[str]:
    return {path.name for path in Path(settings["DATA_DIR"], "documents", "sessions").iterdir()}


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_an_upload_that_meets_a_purge_leaves_no_document(address: str, settings: dict[str, str]) -> None:
    kept = create(address, "kept-share")
    answers = [create(address, share_id, expiresIn=3_600) for share_id in SHARES]
    gone: list[str] = []
    under_way = threading.Event()

    def upload_until_it_is_gone(answer: dict[str, Any]) -> None:
        while (status := upload(answer)) == 200:
            under_way.set()
        assert status == 403

    with ThreadPoolExecutor(4) as pool:
        uploads = [pool.submit(upload_until_it_is_gone, answer) for answer in answers]
        assert under_way.wait(patience(60))
        server, _, database = settings["DATABASE_URL"].rpartition("/")
        run_sql(server, "UPDATE shares SET expires_at = now() WHERE share_id <> 'kept-share'", database)
        while len(gone) < len(SHARES):
            gone += removed(start(settings, "purge"))
        for each in uploads:
            each.result()
    assert upload(kept) == 200
    assert documents(settings) == {"kept-share.json"}
    assert sorted(gone) == sorted(SHARES)


@pytest.mark.server
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_sweeps_beside_each_other_and_beside_uploads_take_nothing_from_anybody(
    address: str, settings: dict[str, str]
) -> None:
    assert upload(create(address, "kept-share")) == 200
    for number in range(40):
        stray = Path(settings["DATA_DIR"], "documents", "sessions", f"stray{number}.json")
        stray.write_bytes(DOCUMENT)
        os.utime(stray, (1e9, 1e9))
    with ThreadPoolExecutor(4) as pool:
        sweeps = [start(settings, "sweep") for _ in range(3)]
        created = list(pool.map(lambda share_id: upload(create(address, share_id)), SHARES))
    swept = [name for process in sweeps for name in removed(process)]
    assert sorted(swept) == sorted(f"sessions/stray{number}.json" for number in range(40))
    assert created == [200] * len(SHARES)
    assert documents(settings) == {f"{share_id}.json" for share_id in ["kept-share", *SHARES]}
