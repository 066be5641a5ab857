"""Runs the day: `python -m benchmarks.day --help`."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.day.people import Client, People, Session
from benchmarks.day.servers import Servers, two_servers
from benchmarks.processes import MB

HOURS = 24
# When what happens, in hours of the day. Restarts come first: new workers would hide what old ones pile up.
RESTART, RELOAD = 1, 2
ROTATIONS = (6, 12, 18)
PURGES = (9, 16, 22)
# The hours before fill caches and pools.
MORNING, EVENING = (8, 9, 10), (21, 22, 23)
# What must not have grown in the evening, by more than this part of what it was in the morning.
STEADY = ("memory", "files", "threads", "processes", "connections")
GROWTH = 0.2
CACHE_MAX_BYTES = 20 * MB
# Of two servers, which look at it every half a minute.
CACHE_BYTES_AT_MOST = 2 * 1.5 * CACHE_MAX_BYTES
THREADS = 8
COLUMNS = ("shares", "memory", "files", "threads", "processes", "connections", "database", "cache")
OF_BYTES = frozenset({"memory", "database", "cache"})

Sample = dict[str, float]


def main() -> None:
    options = _options()
    hour = options.seconds / HOURS
    settings = {
        "CACHE_MAX_BYTES": str(CACHE_MAX_BYTES),
        # What nobody deletes is gone a few hours after its last change.
        "SHARE_MAX_AGE": f"{round(2 * Session.longest_seconds(options.interval))}s",
    }
    with tempfile.TemporaryDirectory(prefix="day-") as folder, two_servers(Path(folder), settings) as servers:
        client = Client([server.address for server in servers.all])
        people = People(client, options.sessions, options.interval, THREADS)
        people.start()
        try:
            samples = [_pass(number, hour, servers) for number in range(HOURS)]
        finally:
            people.stop()
    sys.stdout.write(f"\n{_table(samples)}\n\n")
    grown = _grown(samples)
    if max(sample["cache"] for sample in samples) > CACHE_BYTES_AT_MOST:
        grown.append("the cache was larger than it may be")
    requests = ", ".join(f"{count} {method}" for method, count in client.requests.most_common())
    sys.stdout.write(f"requests: {requests}; the latest was {people.late_seconds:.1f} s late\n")
    for problem, count in client.problems.most_common():
        sys.stdout.write(f"{problem} ({count})\n")
    for sentence in grown:
        sys.stdout.write(f"{sentence}\n")
    if grown or client.problems:
        sys.exit(1)


def _pass(number: int, seconds: float, servers: Servers) -> Sample:
    """Lets an hour go by, with what happens in it, and returns what is held at its end."""
    ends_at = time.monotonic() + seconds
    happens: dict[int, Callable[[], None]] = {
        RESTART: servers.restart_one_by_one,
        RELOAD: lambda: [server.reload() for server in servers.all] and None,
        **{hour: lambda: servers.shares("purge") for hour in PURGES},
        **{hour: lambda: [server.rotate_log() for server in servers.all] and None for hour in ROTATIONS},
    }
    if number in happens:
        happens[number]()
    time.sleep(max(0, ends_at - time.monotonic()))
    sample = servers.sample()
    sys.stderr.write(f"{number + 1:>2} h: {_row(sample)}\n")
    return sample


def _row(sample: Sample) -> str:
    return ", ".join(f"{name} {_shown(name, sample[name])}" for name in COLUMNS)


def _shown(name: str, value: float) -> str:
    return f"{value / MB:.0f} MB" if name in OF_BYTES else f"{value:.0f}"


def _median(samples: Sequence[Sample], hours: Sequence[int], name: str) -> float:
    return statistics.median(samples[hour][name] for hour in hours)


def _table(samples: Sequence[Sample]) -> str:
    lines = ["| | Morning | Most | Evening |", "|---|---|---|---|"]
    for name in COLUMNS:
        values = (
            _median(samples, MORNING, name),
            max(sample[name] for sample in samples),
            _median(samples, EVENING, name),
        )
        lines.append(f"| {name} | {' | '.join(_shown(name, value) for value in values)} |")
    return "\n".join(lines)


def _grown(samples: Sequence[Sample]) -> list[str]:
    """A sentence for each figure that is larger in the evening than in the morning."""
    sentences = []
    for name in STEADY:
        morning, evening = (_median(samples, hours, name) for hours in (MORNING, EVENING))
        if evening > morning * (1 + GROWTH):
            sentences.append(f"{name} grew from {_shown(name, morning)} to {_shown(name, evening)}")
    return sentences


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.day", description="A day of two servers, in an hour.")
    parser.add_argument("--seconds", type=float, default=3600, help="how long it takes")
    parser.add_argument("--sessions", type=int, default=200, help="sessions that are shared at a time")
    parser.add_argument("--interval", type=float, default=20, help="seconds between changes of a session")
    return parser.parse_args()


if __name__ == "__main__":
    main()
