"""OpenCode's own protocol against the service as people run it: many workers, two hosts, workers that die."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from tests.support import recorded
from tests.support import sync_batches as native
from tests.support.servers import wait_until
from tests.support.servers.gunicorn import gunicorn
from tests.support.sync_batches import Item
from tests.support.web import fetch

CONNECTIONS = 4
UNLIMITED = {"RATELIMIT_ENABLED": "false", "WEB_CONCURRENCY": "4"}
SESSION = recorded.document("tools-gallery")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    return {"DATABASE_URL": request.getfixturevalue("postgres_database")}


@dataclass(frozen=True)
class Shared:
    """A native share, as a client of one host has it."""

    host: str
    id: str
    secret: str

    @classmethod
    def create(cls, host: str, session_id: str) -> Shared:
        answer = json.loads(fetch("POST", f"{host}/api/share", {"sessionID": session_id})[1])
        return cls(host, answer["id"], answer["secret"])

    def sync(self, items: list[Item]) -> int:
        body = {"secret": self.secret, "data": items}
        return fetch("POST", f"{self.host}/api/share/{self.id}/sync", body)[0]

    def document(self, host: str = "") -> dict[str, Any]:
        status, answer = fetch("GET", f"{host or self.host}/api/share/{self.id}")
        assert status == 200, answer
        loaded: dict[str, Any] = json.loads(answer)
        return loaded


def test_four_connections_at_once_end_in_the_same_document_as_one(
    tmp_path: Path, postgres_database: str
) -> None:
    batches = native.stream("tools-gallery")
    assert len(batches) >= 500
    with gunicorn(tmp_path, **UNLIMITED, DATABASE_URL=postgres_database) as host:
        one = Shared.create(host, SESSION["session"]["id"])
        assert {one.sync(batch) for batch in batches} == {200}
        many = Shared.create(host, SESSION["session"]["id"])
        shares_of_each = [of_connection(batches, number) for number in range(CONNECTIONS)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            results = pool.map(lambda part: {many.sync(batch) for batch in part}, shares_of_each)
            assert list(results) == [{200}] * CONNECTIONS
        in_sequence, in_parallel = one.document(), many.document()
    assert in_sequence["messages"] == in_parallel["messages"] == SESSION["messages"]
    assert in_sequence["session"] == in_parallel["session"]
    # No two batches got the same number, and each is in the document.
    assert in_parallel["revision"] == sum(len(part) for part in shares_of_each)
    assert in_parallel["others"] == []


def of_connection(batches: list[list[Item]], number: int) -> list[list[Item]]:
    """What one of the connections sends: of each batch the keys that are its own, in their order."""
    own = [[item for item in batch if crc32(key(item)) % CONNECTIONS == number] for batch in batches]
    return [batch for batch in own if batch]


def key(item: Item) -> bytes:
    return f"{item['type']}/{item['data']['id']}".encode()


def test_a_reader_on_another_host_sees_a_change_of_a_large_session_soon(
    tmp_path: Path, postgres_database: str, s3_settings: dict[str, str]
) -> None:
    settings = {**UNLIMITED, **s3_settings, "DATABASE_URL": postgres_database, "WEB_CONCURRENCY": "2"}
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    session = recorded.document("large-output")
    [*_, last] = session["messages"]
    text = next(part for part in last["parts"] if part["type"] == "text")
    with gunicorn(tmp_path / "here", **settings) as here, gunicorn(tmp_path / "there", **settings) as there:
        share = Shared.create(here, session["session"]["id"])
        assert share.sync(native.items(session)) == 200
        for number in range(2):
            said = f"This is change {number}."
            assert share.sync([{"type": "part", "data": {**text, "text": said}}]) == 200
            for host in (here, there):
                url = f"{host}/share/{share.id}/m/{last['info']['id']}"
                wait_until(
                    lambda: said in fetch("GET", url)[1].decode(),  # noqa: B023
                    lambda: f"{said} is not on {url}",  # noqa: B023
                )


@dataclass
class Writer:
    """Writes its keys over and over; remembers the newest value of each that was acknowledged."""

    share: Shared
    number: int
    acknowledged: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def write_until(self, done: threading.Event) -> None:
        message = SESSION["messages"][0]["info"]["id"]
        while not done.is_set():
            self.count += 1
            id = f"prt_{self.number}_{self.count % 10}"
            part = {"id": id, "messageID": message, "type": "text", "text": str(self.count).ljust(2000)}
            with suppress(OSError, HTTPException):
                if self.share.sync([{"type": "part", "data": part}]) == 200:
                    self.acknowledged[id] = self.count


@pytest.mark.server
def test_killing_workers_loses_nothing_that_was_acknowledged(
    tmp_path: Path, database: dict[str, str]
) -> None:
    """The cap is so low that documents are folded all the time, also when a worker dies."""
    settings = {**UNLIMITED, **database, "MAX_SESSION_BYTES": "200000"}
    done = threading.Event()
    with gunicorn(tmp_path, **settings) as host:
        share = Shared.create(host, SESSION["session"]["id"])
        head = {**SESSION, "messages": SESSION["messages"][:1]}
        assert share.sync(native.items(head)) == 200
        writers = [Writer(share, number) for number in range(CONNECTIONS)]
        threads = [threading.Thread(target=writer.write_until, args=[done]) for writer in writers]
        for thread in threads:
            thread.start()
        try:
            chance = random.Random(1)
            for _ in range(12):
                wait_for_progress(writers)
                kill(chance.choice(workers(tmp_path)))
            wait_for_progress(writers)
            for pid in workers(tmp_path):
                kill(pid)
        finally:
            done.set()
            for thread in threads:
                thread.join()
    # Once more from what is on the disk alone.
    with gunicorn(tmp_path, **settings) as host:
        document = share.document(host)
    found = {part["id"]: part for part in document["messages"][0]["parts"] if part["id"].startswith("prt_")}
    for writer in writers:
        assert writer.acknowledged
        for id, value in writer.acknowledged.items():
            assert value <= int(found[id]["text"])
    assert document["revision"] >= sum(len(writer.acknowledged) for writer in writers)


def wait_for_progress(writers: list[Writer], batches: int = 25) -> None:
    before = sum(writer.count for writer in writers)
    wait_until(
        lambda: sum(writer.count for writer in writers) >= before + batches, lambda: "nobody writes any more"
    )


def workers(folder: Path) -> list[int]:
    """The processes of the workers that live."""
    booted = re.findall(r"Booting worker with pid: (\d+)", (folder / "gunicorn.log").read_text())
    return [int(pid) for pid in booted if Path("/proc", pid).exists()]


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
