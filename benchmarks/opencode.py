"""CPU of a real OpenCode while a session of it grows: unshared, shared by itself, and with the plugin."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import cpu_seconds
from benchmarks.redaction import LIBRARY
from benchmarks.report import Row
from benchmarks.service import Service
from tests.end_to_end.model import Step, bash, scripted_model
from tests.end_to_end.opencode import DEAD_END, Setup, make_profile, opencode
from tests.support.optional import OPENCODE
from tests.support.paths import ROOT
from tests.support.web import fetch

# Each step prints so many bytes, which OpenCode keeps twice.
STEP_BYTES = 40_000
STEPS_PER_TURN = 5
TURNS = 8
# By turns, because the same session costs a tenth more or less the next time.
ROUNDS = 3
LAST_WORDS = "That was all of it."
MAX_WAIT_SECONDS = 30
# For what OpenCode does after the last answer.
REST_SECONDS = 3


@dataclass(frozen=True)
class Way:
    """How the session is shared, if it is."""

    plugin: Path | None = None
    is_shared: bool = True


WAYS: Mapping[str, Way] = {
    "unshared": Way(is_shared=False),
    "own": Way(),
    "plugin": Way(ROOT / "plugin/dist/index.js"),
}


def measure_opencode(service: Service, folder: Path, *, is_quick: bool) -> list[Row]:
    """One row if OpenCode is here: seconds of CPU of its process for each of WAYS, the median of ROUNDS."""
    if not OPENCODE.is_present():
        return []
    turns = 1 if is_quick else TURNS
    text = folder / "printed.txt"
    text.write_bytes(_source_code(turns * STEPS_PER_TURN * STEP_BYTES))
    with service.running() as server:
        rounds = [
            {f"{name}_s": _measure(way, server.address, text, turns) for name, way in WAYS.items()}
            for _ in range(1 if is_quick else ROUNDS)
        ]
    medians = {name: statistics.median(seconds[name] for seconds in rounds) for name in rounds[0]}
    return [{"steps": turns * STEPS_PER_TURN, **medians}]


def _measure(way: Way, server: str, text: Path, turns: int) -> float:
    script = {f"turn {turn}": _steps(text, turn * STEPS_PER_TURN) for turn in range(turns)}
    with scripted_model(script) as model, TemporaryDirectory(ignore_cleanup_errors=True) as profile_folder:
        enterprise = DEAD_END if way.plugin else server
        setup = Setup(server, way.plugin, model, enterprise if way.is_shared else DEAD_END)
        with opencode(make_profile(Path(profile_folder), setup)) as running:
            session = running.create_session()
            # What is done once is not counted.
            running.prompt(session, "Nothing that is scripted")
            link = running.share(session) if way.is_shared else None
            time.sleep(REST_SECONDS)
            before = cpu_seconds([running.pid])
            for turn in range(turns):
                running.prompt(session, f"turn {turn}")
            if link:
                _wait_for_words(f"{link}/m/{running.messages(session)[-1]['info']['id']}")
            time.sleep(REST_SECONDS)
            return cpu_seconds([running.pid]) - before


def _steps(text: Path, first: int) -> list[Step]:
    begins = [(first + step) * STEP_BYTES + 1 for step in range(STEPS_PER_TURN)]
    return [*(bash(f"tail -c +{begin} {text} | head -c {STEP_BYTES}") for begin in begins), Step(LAST_WORDS)]


def _source_code(size: int) -> bytes:
    found = bytearray()
    for path in sorted(LIBRARY.glob("**/*.py")):
        if len(found) < size and "site-packages" not in path.parts:
            found += path.read_bytes()
    return bytes(found[:size])


def _wait_for_words(url: str) -> None:
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while LAST_WORDS.encode() not in fetch("GET", url)[1]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url} does not have what was said last")
        time.sleep(0.1)
