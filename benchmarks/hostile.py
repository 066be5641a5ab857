"""What sessions cost that are made to cost much, beside the cold page of an honest one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from benchmarks.client import get, put_document
from benchmarks.prepared import GZIP_LEVEL, Prepared
from benchmarks.processes import MB, cpu_seconds
from benchmarks.report import Row
from benchmarks.service import Running, Service
from tests.support import hostile

# Not the id with which the session is measured itself.
HONEST_ID = "hostile-yardstick"
ADDRESSES = ("", "/steps/1", "?page=2", "/changes", "/changes/1", "/block/prt_0", "/prompts", "/card.png")
EXPORTS = (".md", ".json", "/full/prt_0/call")
QUICK_STEP = 7


def measure_hostile(service: Service, honest: Prepared, *, is_quick: bool) -> list[Row]:
    """For each document, its worst GET and the worst repetition, in cold pages of `honest`.

    A quick run measures every QUICK_STEPth document.
    """
    names = list(hostile.DOCUMENTS)[:: QUICK_STEP if is_quick else 1]
    with service.running() as server:
        put_document(server.address, HONEST_ID, honest.packed.read_bytes())
    service.wipe_caches()
    with service.running() as server:
        # Workers import what they need lazily, which is no part of a page.
        get(f"{server.address}/")
        cold_page = _cpu_of_get(server, f"/share/{HONEST_ID}")[0]
        return [_measure(server, service.folder / "data/cache", name, cold_page) for name in names]


def _measure(server: Running, cache: Path, name: str, cold_page: float) -> Row:
    document = json.dumps(hostile.DOCUMENTS[name]()).encode()
    share_id = f"hostile-{name.replace('_', '-')}"
    put_document(server.address, share_id, gzip.compress(document, GZIP_LEVEL, mtime=0))
    before = _disk_bytes(cache)
    pages = [_gets(server, share_id, address) for address in ADDRESSES]
    exports = [_gets(server, share_id, address) for address in EXPORTS]
    return {
        "document": name,
        "document_kb": len(document) / 1_000,
        "get": max(first for first, _, _ in pages + exports) / cold_page,
        "repeated": max(again for _, again, _ in pages + exports) / cold_page,
        "page_mb": max(size for _, _, size in pages) / MB,
        "cache_mb": (_disk_bytes(cache) - before - 3 * len(document)) / MB,
        "peak_mb": server.peak_bytes() / MB,
    }


def _gets(server: Running, share_id: str, address: str) -> tuple[float, float, int]:
    """The CPU of a GET, of the same again, and the size of the answer in bytes."""
    seconds, size = _cpu_of_get(server, f"/share/{share_id}{address}")
    again, _ = _cpu_of_get(server, f"/share/{share_id}{address}")
    return seconds, again, size


def _cpu_of_get(server: Running, path: str) -> tuple[float, int]:
    before = cpu_seconds(server.workers)
    answer = get(f"{server.address}{path}", encodings="identity")
    return cpu_seconds(server.workers) - before, len(answer.body)


def _disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))
