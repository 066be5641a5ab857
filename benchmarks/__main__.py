"""Runs the benchmark: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.browser import chromium
from benchmarks.growth import measure_growth
from benchmarks.hostile import measure_hostile
from benchmarks.load import clients
from benchmarks.measure import QUICK, Bench, Effort
from benchmarks.opencode import measure_opencode
from benchmarks.prepared import prepare
from benchmarks.private_pages import measure_private_pages
from benchmarks.redaction import measure_redaction
from benchmarks.report import as_json, tables
from benchmarks.service import services
from benchmarks.sessions import SHAPES
from benchmarks.targets import check_targets

SIZES = {"60K": 60_000, "1.5M": 1_500_000, "15M": 15_000_000, "100M": 100_000_000}
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        pool = stack.enter_context(clients())
        browser = None if options.without_browser else stack.enter_context(chromium())
        bench = Bench(QUICK if options.quick else Effort(), pool, browser, folder)
        setups = stack.enter_context(services(folder, with_servers=not options.without_servers))
        api = [bench.measure_api(service) for service in setups]
        rows = []
        for size in options.sizes:
            for shape in SHAPES:
                session = prepare(folder, size, SIZES[size], shape)
                for service in setups:
                    _note(f"{size}, {shape}, {service.name}")
                    rows.append(bench.measure(service, session))
        _note("private pages")
        full_page = prepare(folder, "1.5M", SIZES["1.5M"], "turns")
        private = [
            row for service in setups for row in measure_private_pages(pool, bench.effort, service, full_page)
        ]
        _note("growth")
        growth = measure_growth(setups[0], folder, is_quick=options.quick)
        _note("OpenCode")
        opencode = measure_opencode(setups[0], folder, is_quick=options.quick)
        hostile = []
        if options.with_hostile:
            _note("hostile sessions")
            honest = prepare(folder, "15M", SIZES["15M"], "turns")
            hostile = measure_hostile(setups[0], honest, is_quick=options.quick)
    _note("redaction")
    redaction = measure_redaction(is_quick=options.quick)
    results = {
        "sessions": rows,
        "api": api,
        "private": private,
        "growth": growth,
        "opencode": opencode,
        "hostile": hostile,
        "redaction": redaction,
    }
    targets = check_targets(results)
    sys.stdout.write(f"\n{tables(results, targets)}\n")
    if options.results:
        options.results.write_text(as_json(results, targets))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description="How fast sessions of any size are served."
    )
    parser.add_argument("--sizes", type=_sizes, default=list(SIZES), help=f"some of {','.join(SIZES)}")
    parser.add_argument("--quick", action="store_true", help="measure everything once, for a rough look")
    parser.add_argument("--without-servers", action="store_true", help="leave out S3 and PostgreSQL")
    parser.add_argument(
        "--without-hostile", dest="with_hostile", action="store_false", help="leave out hostile sessions"
    )
    parser.add_argument("--without-browser", action="store_true", help="leave out Chromium")
    parser.add_argument(
        "--results", type=Path, help="file for the figures; a whole run keeps them in benchmarks/results.json"
    )
    options = parser.parse_args()
    is_part = options.quick or options.without_servers or options.without_browser or not options.with_hostile
    if not options.results and not is_part and options.sizes == list(SIZES):
        options.results = RESULTS
    return options


def _sizes(text: str) -> list[str]:
    sizes = text.split(",")
    if unknown := set(sizes) - set(SIZES):
        raise argparse.ArgumentTypeError(f"no size {', '.join(unknown)}; there are {', '.join(SIZES)}")
    return sizes


def _note(what: str) -> None:
    """Says on the terminal how far the run is."""
    sys.stderr.write(f"{time.monotonic() - STARTED:6.1f} s  {what}\n")
    sys.stderr.flush()


STARTED = time.monotonic()

if __name__ == "__main__":
    main()
