"""What the service must reach, each a ratio within one run, or a size; the worst figure counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.target import Row, Target, figure, growth, part, part_of_api

BARE_ROUTE = "a bare Flask route with the same bytes"
DECODE = "gunzip and decode of the same bytes"

TARGETS = (
    *(
        Target(
            f"warm page, 15 MB, {database}",
            " %",
            60,
            part("requests_per_second", "bare_per_second", 100, size="15M", database=database),
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
        growth("warm_first_byte_ms", "100M", "60K"),
        "the same at 60 KB",
        "long sessions feel slower than short ones",
    ),
    Target(
        "CPU of a change and its page, 100 MB",
        " x",
        2,
        growth("change_cpu_ms", "100M", "1.5M"),
        "the same at 1.5 MB, whose first page is as full",
        "a long session that is followed keeps a worker busy",
    ),
    Target(
        "cold page, 15 MB, S3",
        " x",
        4,
        part("cold_page_ms", "decode_ms", 1, size="15M", store="S3"),
        DECODE,
        "the first reader waits",
    ),
    Target(
        "cold page, 100 MB, S3",
        " x",
        3,
        part("cold_page_ms", "decode_ms", 1, size="100M", store="S3"),
        DECODE,
        "the first reader waits",
    ),
    Target(
        "page after one more step, 15 MB",
        " %",
        10,
        part("reserved_ms", "cold_page_ms", 100, size="15M"),
        "the cold page",
        "following a session costs as much as opening it",
    ),
    *(
        Target(
            f"search, {size} MB",
            " x",
            0.5,
            part("search_ms", "cold_page_ms", 1, size=f"{size}M", store="disk"),
            "the cold page",
            "readers scroll instead of searching",
        )
        for size in (15, 100)
    ),
    Target(
        "HTML file, 15 MB",
        " x",
        30,
        part("html_file_ms", "cold_page_ms", 1, size="15M"),
        "the cold page",
        "whoever saves a session waits, and one worker with them",
    ),
    Target(
        "first page with assets on the wire",
        " KB",
        120,
        figure("page_wire_kb"),
        "-",
        "slow on a phone",
    ),
    Target(
        "first contentful paint, 100 MB",
        " x",
        1.3,
        growth("first_paint_ms", "100M", "60K"),
        "the same at 60 KB",
        "long sessions feel slower than short ones",
    ),
    Target(
        "last turn readable, 15 MB",
        " x",
        2.5,
        part("last_turn_ms", "first_paint_ms", 1, size="15M", store="disk"),
        "first contentful paint",
        "the end of a session is far away",
    ),
    Target(
        "main thread blocked, 15 MB",
        " x",
        0.5,
        part("blocking_ms", "first_paint_ms", 1, size="15M", store="disk"),
        "first contentful paint",
        "the page does not react while it loads",
    ),
    Target(
        "worker memory, 15 MB and its HTML file, peak",
        " MB",
        250,
        figure("peak_mb", size="15M"),
        "-",
        "one file takes the memory of the pages",
    ),
    Target(
        "worker memory, 100 MB, peak",
        " MB",
        300,
        figure("peak_mb", size="100M"),
        "-",
        "four workers do not fit into 2 GB",
    ),
    Target(
        "worker memory, 100 MB, afterwards",
        " MB",
        150,
        figure("held_mb", size="100M"),
        "-",
        "memory is not returned",
    ),
    *(
        Target(
            f"CPU of an upload link, {database}",
            " x",
            10,
            part_of_api("presign_cpu_ms", "bare_cpu_ms", database),
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
            part_of_api("sync_ms", "commit_ms", database),
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
        part("cpu_ms", "flask_cpu_ms", 1, audience=audience),
        "a public page that the cache of responses does not know",
        "a company's server needs more workers",
    )
    for audience in ("members", "password")
)


COLD_PAGE = "the CPU of a cold page of 15 MB"
HOSTILE_TARGETS = (
    Target("any GET, hostile sessions", " x", 12, figure("get"), COLD_PAGE, "one reader stops a worker"),
    Target(
        "the same again, hostile sessions",
        " x",
        0.5,
        figure("repeated"),
        COLD_PAGE,
        "a reload costs as much as a share",
    ),
    Target("page, hostile sessions", " MB", 4, figure("page_mb"), "-", "a phone cannot show it"),
    Target(
        "worker memory, hostile sessions",
        " MB",
        300,
        figure("peak_mb"),
        "-",
        "four workers do not fit into 2 GB",
    ),
    Target(
        "cache beyond 3 x the session",
        " MB",
        20,
        figure("cache_mb"),
        "-",
        "one share empties the cache of all others",
    ),
)


GROWTH_TARGETS = (
    Target(
        "uploaded while a session grows to 15 MB in 300 changes",
        " x",
        2,
        figure("uploaded"),
        "the finished session, compressed",
        "following a session costs the square of its size",
    ),
    Target(
        "longest pause of the plugin, a session of 15 MB",
        " ms",
        20,
        figure("pause_ms"),
        "CPU of the thread of OpenCode's event loop",
        "OpenCode does not react",
    ),
    Target(
        "link of a session of 15 MB that is shared at once",
        " ms",
        1_000,
        figure("first_returned_ms"),
        "-",
        "/share shows no progress while it waits",
    ),
    Target(
        "its page",
        " ms",
        6_000,
        figure("first_page_ms"),
        "-",
        "who opens the link at once waits",
    ),
)
OPENCODE_TARGETS = (
    Target(
        "CPU of OpenCode with the plugin while a session grows",
        " %",
        110,
        part("plugin_s", "unshared_s", 100),
        "the same without sharing",
        "OpenCode becomes slower where it is shared",
    ),
)
REDACTION_TARGETS = (
    Target(
        "worst text, redaction",
        " x",
        4,
        figure("worst"),
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
