"""Runs the day: `python -m benchmarks.day --help`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.day.people import Client, People, Session
from benchmarks.day.report import Sample, line, misses, table
from benchmarks.day.servers import Servers, two_servers
from benchmarks.processes import MB

HOURS = 24
# When what happens, in hours of the day. Restarts come first: new workers would hide what old ones pile up.
RESTART, RELOAD = 1, 2
ROTATIONS = (6, 12, 18)
PURGES = (9, 16, 22)
RENEWAL = 13
CACHE_MAX_BYTES = 20 * MB
# Of two servers, which look at it every half a minute.
CACHE_BYTES_AT_MOST = 2 * 1.5 * CACHE_MAX_BYTES
THREADS = 8


def main() -> None:
    options = _options()
    # What nobody deletes is gone a few hours after its last change.
    max_age = round(60 + 2 * Session.longest_seconds(options.interval))
    settings = {"CACHE_MAX_BYTES": str(CACHE_MAX_BYTES), "SHARE_MAX_AGE": f"{max_age}s"}
    with tempfile.TemporaryDirectory(prefix="day-") as folder, two_servers(Path(folder), settings) as servers:
        client = Client(servers.address)
        client.trust(servers.certificate)
        people = People(client, options.sessions, options.interval, max_age, THREADS)
        people.start()
        try:
            samples = [_pass(number, options.seconds / HOURS, servers, client) for number in range(HOURS)]
        finally:
            people.stop()
        warnings = [f"{warning} ({count})" for warning, count in servers.warnings().most_common(10)]
    requests = ", ".join(f"{count} {method}" for method, count in client.requests.most_common())
    problems = [f"{problem} ({count})" for problem, count in client.problems.most_common()]
    problems += misses(samples, CACHE_BYTES_AT_MOST)
    late = f"the latest change was {people.late_seconds:.1f} s late"
    summary = (
        f"requests: {requests}; {client.waits} of them asked to wait; {people.expired} shares expired; {late}"
    )
    sys.stdout.write("\n".join(["", table(samples), "", summary, *problems, ""]))
    if problems:
        sys.stdout.write("\n".join(["The servers have warned of:", *warnings, ""]))
        sys.exit(1)


def _pass(number: int, seconds: float, servers: Servers, client: Client) -> Sample:
    """Lets an hour go by, with what happens in it, and returns what is held at its end."""
    ends_at = time.monotonic() + seconds
    happens: dict[int, Callable[[], None]] = {
        RESTART: servers.restart_one_by_one,
        RELOAD: servers.reload,
        RENEWAL: partial(_renew_certificate, servers, client),
        **dict.fromkeys(PURGES, lambda: servers.shares("purge")),
        **dict.fromkeys(ROTATIONS, servers.rotate_logs),
    }
    if number in happens:
        happens[number]()
    time.sleep(max(0, ends_at - time.monotonic()))
    sample = servers.sample()
    sys.stderr.write(f"{number + 1:>2} h: {line(sample)}\n")
    return sample


def _renew_certificate(servers: Servers, client: Client) -> None:
    servers.renew_certificate()
    client.trust(servers.certificate)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.day", description="A day of two servers, in an hour.")
    parser.add_argument("--seconds", type=float, default=3600, help="how long it takes")
    parser.add_argument("--sessions", type=int, default=200, help="sessions that are shared at a time")
    parser.add_argument("--interval", type=float, default=20, help="seconds between changes of a session")
    return parser.parse_args()


if __name__ == "__main__":
    main()
