"""Measures one session on one way to set the service up: a row of the table."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser

from app.share.pages.levels import LEVELS
from benchmarks.browser import watch_reader
from benchmarks.changes import change_cpu_seconds
from benchmarks.client import Answer, Uploader, get, get_page, look_at, read_plain
from benchmarks.load import Load, PageRequest, PresignRequest, apply_load
from benchmarks.prepared import Prepared
from benchmarks.processes import KB, MB, wait_until_idle
from benchmarks.service import Running, Service, bare
from benchmarks.sessions import NEW_WORDS, as_snapshot, session_id_of
from benchmarks.syncs import TEXT_BYTES, Syncer
from benchmarks.yardsticks import commit_seconds, decode_seconds

# Enough for every worker to have answered once.
WARM_UP_REQUESTS = 8
FRAGMENTS = 5
POLL_SECONDS = 0.02
# Documents above 5 MB are looked at again after 20 s.
LONGEST_FOLLOW_SECONDS = 40

# A word that every session has, one that none has, and names that only their JSON has.
QUERIES = ("test", "unfindable", "callid sessionid")

Row = dict[str, Any]


@dataclass(frozen=True)
class Effort:
    """How much is done for one figure; what takes longer than `sample_seconds` is not repeated further."""

    cold_starts: int = 3
    samples: int = 25
    sample_seconds: float = 3
    load_rounds: int = 3
    load_seconds: float = 1.5
    visits: int = 5


QUICK = Effort(cold_starts=1, samples=5, sample_seconds=1, load_rounds=1, load_seconds=0.5, visits=1)


@dataclass(frozen=True)
class Bench:
    """What it takes to measure: processes that send requests, maybe a browser, and a folder to work in."""

    effort: Effort
    pool: Pool
    browser: Browser | None
    folder: Path

    def measure(self, service: Service, session: Prepared) -> Row:
        """All figures of one session; None where there is nothing to measure, as fragments of a short one."""
        uploader = Uploader(session.share_id)
        with service.running() as server:
            document = gzip.decompress(session.packed.read_bytes())
            created_at = uploader.create(server.address, session_id_of(document))
            uploader.upload(server.address, "snapshot", as_snapshot(document, created_at))
            del document
            assets = _paths(server, look_at(self._url(server, session)).assets)
        row: Row = {"size": session.size_name, "shape": session.shape, "bytes": session.size}
        row |= {"store": service.store, "database": service.database}
        cold: list[Row] = []
        decode: list[float] = []
        for start in range(1, self.effort.cold_starts + 1):
            service.wipe_caches()
            with service.running() as server:
                url = self._url(server, session)
                cold.append(_first_page(url, [server.address + path for path in assets]))
                # Beside it, because the speed of a machine changes from one minute to the next.
                decode.append(decode_seconds(session.packed))
                if start == self.effort.cold_starts:
                    row |= _medians("cold", cold) | {"decode_ms": statistics.median(decode) * 1000}
                    row |= self._measure_warm(server, session, url, uploader, service.is_embedded)
        return row

    def measure_api(self, service: Service) -> Row:
        """What an upload link and a sync batch cost, beside a bare route and a bare commit."""
        links = yardstick = Load(0, 0, 0)
        with (
            service.running() as server,
            bare(self.folder, b"{}", {"Content-Type": "application/json"}) as flask,
        ):
            for turn in range(self.effort.load_rounds + 1):
                seconds = self.effort.load_seconds
                bare_load = apply_load(self.pool, flask, PageRequest("/"), seconds)
                link_load = apply_load(self.pool, server, PresignRequest(f"presign{turn}-"), seconds)
                # The first round only warms the workers up.
                if turn:
                    yardstick += bare_load
                    links += link_load
            sync_seconds = Syncer(server.address).median_seconds()
        return {
            "store": service.store,
            "database": service.database,
            "presign_per_second": links.per_second,
            "presign_cpu_ms": links.cpu_per_request * 1000,
            "bare_cpu_ms": yardstick.cpu_per_request * 1000,
            "sync_ms": sync_seconds * 1000,
            "commit_ms": commit_seconds(service.database_url, TEXT_BYTES) * 1000,
        }

    def _measure_warm(
        self, server: Running, session: Prepared, url: str, uploader: Uploader, with_browser: bool
    ) -> Row:
        row = self._warm_page(url)
        row |= _fragments(look_at(url).fragments)
        row |= _searches(url)
        row |= self._load(server, url)
        row["html_file_ms"] = get_page(f"{url}.html").seconds * 1000
        # For a browser it makes no difference what the service is built on: once is enough.
        if self.browser and with_browser:
            row |= watch_reader(self.browser, url, session.last_id, self.effort.visits)
        row |= _follow_growth(server, session, url, uploader)
        changing = change_cpu_seconds(server, url, uploader, session.growth)
        row["change_cpu_ms"] = None if changing is None else changing * 1000
        wait_until_idle(server.workers)
        return {**row, "peak_mb": server.peak_bytes() / MB, "held_mb": server.held_bytes() / MB}

    def _warm_page(self, url: str) -> Row:
        assets = look_at(url).assets
        for _ in range(WARM_UP_REQUESTS):
            get_page(url)
        samples = [_first_page(url, assets)]
        deadline = time.monotonic() + self.effort.sample_seconds
        while len(samples) < self.effort.samples and time.monotonic() < deadline:
            samples.append(_first_page(url, assets))
        samples_by_level = [_first_page(f"{url}?view={level}", assets) for level in LEVELS]
        largest = max(sample["wire_kb"] for sample in [*samples, *samples_by_level])
        return {**_medians("warm", samples), "page_wire_kb": largest}

    def _load(self, server: Running, url: str) -> Row:
        """The page and the bare route under the same load, by turns."""
        answer, request = get_page(url), PageRequest(url.removeprefix(server.address))
        page = yardstick = Load(0, 0, 0)
        with bare(self.folder, answer.body, answer.body_headers) as flask:
            for _ in range(self.effort.load_rounds if answer.seconds < 0.3 else 1):
                yardstick += apply_load(self.pool, flask, PageRequest("/"), self.effort.load_seconds)
                page += apply_load(self.pool, server, request, self.effort.load_seconds)
        return {
            "requests_per_second": page.per_second,
            "bare_per_second": yardstick.per_second,
            "cpu_ms": page.cpu_per_request * 1000,
            "bare_cpu_ms": yardstick.cpu_per_request * 1000,
        }

    def _url(self, server: Running, session: Prepared) -> str:
        return f"{server.address}/share/{session.share_id}"


def _paths(server: Running, urls: Iterable[str]) -> list[str]:
    return [url.removeprefix(server.address) for url in urls]


def _first_page(url: str, assets: Sequence[str]) -> Row:
    """The page and then its assets, one after the other."""
    start = time.perf_counter()
    page = get_page(url)
    answers: list[Answer] = [page, *(get_page(asset) for asset in assets)]
    return {
        "first_byte_ms": page.first_byte_seconds * 1000,
        "page_ms": (time.perf_counter() - start) * 1000,
        "wire_kb": sum(answer.wire_bytes for answer in answers) / KB,
    }


def _medians(state: str, samples: Sequence[Row]) -> Row:
    return {
        f"{state}_{name}": statistics.median(sample[name] for sample in samples)
        for name in ("first_byte_ms", "page_ms")
    }


def _fragments(urls: Sequence[str]) -> Row:
    """Some of what the page left for later, when it is asked for first and when again."""
    chosen = urls[:: max(1, len(urls) // FRAGMENTS)][:FRAGMENTS]
    times = [
        statistics.median([get_page(url).seconds for url in chosen]) * 1000 if chosen else None for _ in "12"
    ]
    return {"fragments": len(urls), "fragment_ms": times[0], "fragment_again_ms": times[1]}


def _searches(url: str) -> Row:
    """The slowest of the searches."""
    answers = [get_page(f"{url}/search?q={quote(query)}") for query in QUERIES]
    return {"search_ms": max(answer.seconds for answer in answers) * 1000}


def _follow_growth(server: Running, session: Prepared, url: str, uploader: Uploader) -> Row:
    """A step more: how long until it can be read, and what the page costs that has changed."""
    etag = get_page(url).headers.get("Etag", "")
    uploader.upload(server.address, "changes", session.growth.changes)
    uploaded = time.perf_counter()
    page = _poll(url, uploaded, etag)
    step_url = f"{url}/m/{session.growth.new_id}"
    step = _poll(step_url, uploaded)
    seen = time.perf_counter() - uploaded
    if page is None or step is None or NEW_WORDS.encode() not in read_plain(step_url):
        return {"reserved_ms": None, "new_step_ms": None, "change_served_s": None}
    return {
        "reserved_ms": page.seconds * 1000,
        "new_step_ms": step.seconds * 1000,
        "change_served_s": seen,
    }


def _poll(url: str, since: float, etag: str = "") -> Answer | None:
    """The first answer that is another than the one with this ETag."""
    while time.perf_counter() - since < LONGEST_FOLLOW_SECONDS:
        answer = get(url, etag=etag)
        if answer.status == 200 and answer.headers.get("Etag") != etag:
            return answer
        time.sleep(POLL_SECONDS)
    return None
