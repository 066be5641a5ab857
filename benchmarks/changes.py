"""What a change of some kilobytes costs the server, from its commit to the page that shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from benchmarks.client import Uploader, get, get_page
from benchmarks.processes import cpu_seconds
from benchmarks.service import Running
from benchmarks.sessions import Growth

CHANGES = 20
CHANGE_BYTES = 5_000
# Readers are given the version before for a moment; asking all the time would be measured as well.
ASKED_SECONDS = 0.25
LONGEST_SECONDS = 40


def change_cpu_seconds(server: Running, url: str, uploader: Uploader, growth: Growth) -> float | None:
    """CPU of the workers for one change, the mean of CHANGES; None if a page does not come."""
    etag = get_page(url).headers["Etag"]
    before = cpu_seconds(server.workers)
    for changes in _changes(growth):
        uploader.upload(server.address, "changes", changes)
        changed = _changed_etag(url, etag)
        if changed is None:
            return None
        etag = changed
    return (cpu_seconds(server.workers) - before) / CHANGES


def _changes(growth: Growth) -> Iterator[bytes]:
    """The last answer, which grows by a text of CHANGE_BYTES as it is written."""
    [item] = msgspec.json.decode(growth.changes)
    text = next(part for part in item["data"]["parts"] if part["type"] == "text")
    for number in range(CHANGES):
        text["text"] = f"{number} " + "word " * (CHANGE_BYTES // len("word "))
        yield msgspec.json.encode([item])


def _changed_etag(url: str, etag: str) -> str | None:
    start = time.perf_counter()
    while time.perf_counter() - start < LONGEST_SECONDS:
        answer = get(url, etag=etag)
        if answer.status == 200 and answer.headers["Etag"] != etag:
            return answer.headers["Etag"]
        time.sleep(ASKED_SECONDS)
    return None
