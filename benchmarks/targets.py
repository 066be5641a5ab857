"""What the service must reach, each a ratio within one run, or a size; the worst figure counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Figures = list[float | None]


@dataclass(frozen=True)
class Target:
    """A figure that may be at most, or at least, `bound`.

    `yardstick` is what the figure is compared with, `miss` what it means for people when it is missed.
    """

    name: str
    unit: str
    bound: float
    figures: Callable[[Sequence[Row], Sequence[Row]], Figures]
    yardstick: str
    miss: str
    is_least: bool = False

    def check(self, rows: Sequence[Row], api: Sequence[Row]) -> Row:
        """The target beside what was measured; None where the run did not measure it."""
        figures = self.figures(rows, api)
        known = [figure for figure in figures if figure is not None]
        worst = (min if self.is_least else max)(known) if known and len(known) == len(figures) else None
        limit = f"at {'least' if self.is_least else 'most'} {self.bound:g}{self.unit}"
        reached = None if worst is None else (worst >= self.bound if self.is_least else worst <= self.bound)
        return {
            "target": self.name,
            "measured": worst,
            "unit": self.unit,
            "limit": limit,
            "yardstick": self.yardstick,
            "reached": reached,
            "miss": self.miss,
        }


def _figure(name: str, **where: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    return lambda rows, _api: [row.get(name) for row in _select(rows, where)]


def _part(
    name: str, whole: str, scale: float, **where: str
) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    """One figure of a row against another of the same row."""
    return lambda rows, _api: [_ratio(row.get(name), row.get(whole), scale) for row in _select(rows, where)]


def _growth(name: str, large: str, small: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    """A figure of a large session against that of a small one of the same shape in the same surroundings."""

    def figures(rows: Sequence[Row], _api: Sequence[Row]) -> Figures:
        found = []
        for row in _select(rows, {"size": large}):
            same = {key: row[key] for key in ("shape", "store", "database")}
            for other in _select(rows, {"size": small, **same}):
                if name in row:
                    found.append(_ratio(row[name], other[name], 1))
        return found

    return figures


def _api(name: str, whole: str, database: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    return lambda _rows, api: [
        _ratio(row.get(name), row.get(whole), 1) for row in _select(api, {"database": database})
    ]


def _select(rows: Iterable[Row], where: Row) -> list[Row]:
    return [row for row in rows if all(row[key] == value for key, value in where.items())]


def _ratio(one: float | None, other: float | None, scale: float) -> float | None:
    return one / other * scale if one is not None and other else None


BARE_ROUTE = "a bare Flask route with the same bytes"
DECODE = "gunzip and decode of the same bytes"

TARGETS = (
    *(
        Target(
            f"warm page, 15 MB, {database}",
            " %",
            60,
            _part("requests_per_second", "bare_per_second", 100, size="15M", database=database),
            f"requests per second of {BARE_ROUTE}",
            "a link that spreads needs more workers",
            is_least=True,
        )
        for database in ("SQLite", "PostgreSQL")
    ),
    Target(
        "warm first byte, 100 MB",
        " x",
        1.5,
        _growth("warm_first_byte_ms", "100M", "60K"),
        "the same at 60 KB",
        "long sessions feel slower than short ones",
    ),
    Target(
        "CPU of a change and its page, 100 MB",
        " x",
        2,
        _growth("change_cpu_ms", "100M", "1.5M"),
        "the same at 1.5 MB, whose first page is as full",
        "a long session that is followed keeps a worker busy",
    ),
    Target(
        "cold page, 15 MB, S3",
        " x",
        4,
        _part("cold_page_ms", "decode_ms", 1, size="15M", store="S3"),
        DECODE,
        "the first reader waits",
    ),
    Target(
        "cold page, 100 MB, S3",
        " x",
        3,
        _part("cold_page_ms", "decode_ms", 1, size="100M", store="S3"),
        DECODE,
        "the first reader waits",
    ),
    Target(
        "page after one more step, 15 MB",
        " %",
        10,
        _part("reserved_ms", "cold_page_ms", 100, size="15M"),
        "the cold page",
        "following a session costs as much as opening it",
    ),
    *(
        Target(
            f"search, {size} MB",
            " x",
            0.5,
            _part("search_ms", "cold_page_ms", 1, size=f"{size}M", store="disk"),
            "the cold page",
            "readers scroll instead of searching",
        )
        for size in (15, 100)
    ),
    Target(
        "HTML file, 15 MB",
        " x",
        30,
        _part("html_file_ms", "cold_page_ms", 1, size="15M"),
        "the cold page",
        "whoever saves a session waits, and one worker with them",
    ),
    Target(
        "first page with assets on the wire",
        " KB",
        120,
        _figure("page_wire_kb"),
        "-",
        "slow on a phone",
    ),
    Target(
        "first contentful paint, 100 MB",
        " x",
        1.3,
        _growth("first_paint_ms", "100M", "60K"),
        "the same at 60 KB",
        "long sessions feel slower than short ones",
    ),
    Target(
        "last turn readable, 15 MB",
        " x",
        2.5,
        _part("last_turn_ms", "first_paint_ms", 1, size="15M", store="disk"),
        "first contentful paint",
        "the end of a session is far away",
    ),
    Target(
        "main thread blocked, 15 MB",
        " x",
        0.5,
        _part("blocking_ms", "first_paint_ms", 1, size="15M", store="disk"),
        "first contentful paint",
        "the page does not react while it loads",
    ),
    Target(
        "worker memory, 15 MB and its HTML file, peak",
        " MB",
        250,
        _figure("peak_mb", size="15M"),
        "-",
        "one file takes the memory of the pages",
    ),
    Target(
        "worker memory, 100 MB, peak",
        " MB",
        300,
        _figure("peak_mb", size="100M"),
        "-",
        "four workers do not fit into 2 GB",
    ),
    Target(
        "worker memory, 100 MB, afterwards",
        " MB",
        150,
        _figure("held_mb", size="100M"),
        "-",
        "memory is not returned",
    ),
    *(
        Target(
            f"CPU of an upload link, {database}",
            " x",
            10,
            _api("presign_cpu_ms", "bare_cpu_ms", database),
            BARE_ROUTE.removesuffix(" with the same bytes"),
            "fewer people can share at once",
        )
        for database in ("SQLite", "PostgreSQL")
    ),
    *(
        Target(
            f"sync of 25 KB, {database}",
            " x",
            bound,
            _api("sync_ms", "commit_ms", database),
            "a commit of as many bytes",
            "fewer sessions can be followed at once",
        )
        for database, bound in (("SQLite", 25), ("PostgreSQL", 15))
    ),
)

PRIVATE_TARGETS = tuple(
    Target(
        f"CPU of a page, {audience}",
        " x",
        1.5,
        _part("cpu_ms", "flask_cpu_ms", 1, audience=audience),
        "a public page that the cache of responses does not know",
        "a company's server needs more workers",
    )
    for audience in ("members", "password")
)


COLD_PAGE = "the CPU of a cold page of 15 MB"
HOSTILE_TARGETS = (
    Target("any GET, hostile sessions", " x", 12, _figure("get"), COLD_PAGE, "one reader stops a worker"),
    Target(
        "the same again, hostile sessions",
        " x",
        0.5,
        _figure("repeated"),
        COLD_PAGE,
        "a reload costs as much as a share",
    ),
    Target("page, hostile sessions", " MB", 4, _figure("page_mb"), "-", "a phone cannot show it"),
    Target(
        "worker memory, hostile sessions",
        " MB",
        300,
        _figure("peak_mb"),
        "-",
        "four workers do not fit into 2 GB",
    ),
    Target(
        "cache beyond 3 x the session",
        " MB",
        20,
        _figure("cache_mb"),
        "-",
        "one share empties the cache of all others",
    ),
)


GROWTH_TARGETS = (
    Target(
        "uploaded while a session grows to 15 MB in 300 changes",
        " x",
        2,
        _figure("uploaded"),
        "the finished session, compressed",
        "following a session costs the square of its size",
    ),
    Target(
        "longest pause of the plugin, a session of 15 MB",
        " ms",
        20,
        _figure("pause_ms"),
        "CPU of the thread of OpenCode's event loop",
        "OpenCode does not react",
    ),
    Target(
        "link of a session of 15 MB that is shared at once",
        " ms",
        1_000,
        _figure("first_returned_ms"),
        "-",
        "/share shows no progress while it waits",
    ),
    Target(
        "its page",
        " ms",
        6_000,
        _figure("first_page_ms"),
        "-",
        "who opens the link at once waits",
    ),
)
OPENCODE_TARGETS = (
    Target(
        "CPU of OpenCode with the plugin while a session grows",
        " %",
        110,
        _part("plugin_s", "unshared_s", 100),
        "the same without sharing",
        "OpenCode becomes slower where it is shared",
    ),
)
REDACTION_TARGETS = (
    Target(
        "worst text, redaction",
        " x",
        4,
        _figure("worst"),
        "ordinary text of its size",
        "a text keeps a worker, or OpenCode, busy",
    ),
)


def check_targets(results: Mapping[str, Sequence[Row]]) -> list[Row]:
    return [
        *(target.check(results["sessions"], results["api"]) for target in TARGETS),
        *(target.check(results["private"], []) for target in PRIVATE_TARGETS),
        *(target.check(results["growth"], []) for target in GROWTH_TARGETS),
        *(target.check(results["opencode"], []) for target in OPENCODE_TARGETS),
        *(target.check(results["hostile"], []) for target in HOSTILE_TARGETS),
        *(target.check(results["redaction"], []) for target in REDACTION_TARGETS),
    ]
