"""What it costs to share a session, and to follow it while it grows, with the plugin's own code."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from pathlib import Path

from benchmarks.prepared import GZIP_LEVEL
from benchmarks.report import Row
from benchmarks.service import Service
from benchmarks.sessions import write_session
from tests.support.optional import BUN, OPENCODE
from tests.support.paths import ROOT

SCRIPT = ROOT / "plugin/bench/growth.ts"
BYTES = 15_000_000
CHANGES = 300


def measure_growth(service: Service, folder: Path, *, is_quick: bool) -> list[Row]:
    """A row for each bun that is here: its own, and the one inside OpenCode."""
    programs = []
    if BUN.is_present():
        programs.append(("bun", ROOT / "plugin/node_modules/.bin/bun"))
    if OPENCODE.is_present():
        programs.append(("bun in OpenCode", ROOT / "tests/end_to_end/node_modules/.bin/opencode"))
    return [_measure(service, folder, engine, program, is_quick) for engine, program in programs]


def _measure(service: Service, folder: Path, engine: str, program: Path, is_quick: bool) -> Row:
    scale = 10 if is_quick else 1
    session = write_session(folder / "growing.json", BYTES // scale, "turns", seed=len(engine))
    with service.running() as server:
        done = subprocess.run(  # noqa: S603
            [program, SCRIPT, server.address, session.path, str(CHANGES // scale)],
            env={**os.environ, "BUN_BE_BUN": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
    figures = json.loads(done.stdout)
    finished = len(gzip.compress(session.path.read_bytes(), GZIP_LEVEL))
    session.path.unlink()
    return {
        "engine": engine,
        "size_mb": session.size / 1e6,
        "changes": CHANGES // scale,
        "uploaded": figures["uploaded"] / finished,
        "cpu_ms_per_mb": figures["cpu_seconds"] * 1e9 / session.size,
        "pause_ms": max(figures["pause_ms"], figures["first_pause_ms"]),
        "first_returned_ms": figures["first_returned_ms"],
        "first_page_ms": figures["first_page_ms"],
        "first_cpu_ms_per_mb": figures["first_cpu_seconds"] * 1e9 / session.size,
    }
