"""What the service must reach, each a ratio or a figure of the same run; the worst one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Figures = list[float | None]


@dataclass(frozen=True)
class Target:
    """A figure that may be at most, or at least, `bound`."""

    name: str
    unit: str
    bound: float
    figures: Callable[[Sequence[Row], Sequence[Row]], Figures]
    is_least: bool = False

    def check(self, rows: Sequence[Row], links: Sequence[Row]) -> Row:
        """The target beside what was measured; None where the run did not measure it."""
        figures = self.figures(rows, links)
        known = [figure for figure in figures if figure is not None]
        worst = (min if self.is_least else max)(known) if known and len(known) == len(figures) else None
        limit = f"at {'least' if self.is_least else 'most'} {self.bound:g}{self.unit}"
        reached = None if worst is None else (worst >= self.bound if self.is_least else worst <= self.bound)
        return {"target": self.name, "limit": limit, "measured": worst, "unit": self.unit, "reached": reached}


def _figure(name: str, **where: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    return lambda rows, _links: [row.get(name) for row in _select(rows, where)]


def _part(
    name: str, whole: str, scale: float, **where: str
) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    """One figure of a row against another of the same row."""
    return lambda rows, _links: [_ratio(row.get(name), row.get(whole), scale) for row in _select(rows, where)]


def _growth(name: str, large: str, small: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    """A figure of a large session against that of a small one of the same shape in the same surroundings."""

    def figures(rows: Sequence[Row], _links: Sequence[Row]) -> Figures:
        found = []
        for row in _select(rows, {"size": large}):
            same = {key: row[key] for key in ("shape", "store", "database")}
            for other in _select(rows, {"size": small, **same}):
                if name in row:
                    found.append(_ratio(row[name], other[name], 1))
        return found

    return figures


def _link(database: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    return lambda _rows, links: [row["presign_cpu_ms"] for row in _select(links, {"database": database})]


def _select(rows: Iterable[Row], where: Row) -> list[Row]:
    return [row for row in rows if all(row[key] == value for key, value in where.items())]


def _ratio(one: float | None, other: float | None, scale: float) -> float | None:
    return one / other * scale if one is not None and other else None


def _page_against_bare(database: str) -> Target:
    share = _part("requests_per_second", "bare_per_second", 100, size="15M", database=database)
    return Target(
        f"warm page, 15 MB, {database}, of the bare route's requests", " %", 60, share, is_least=True
    )


TARGETS = (
    _page_against_bare("SQLite"),
    _page_against_bare("PostgreSQL"),
    Target("warm first byte, 100 MB against 60 KB", " x", 1.5, _growth("warm_first_byte_ms", "100M", "60K")),
    Target("cold page, 15 MB, S3", " ms", 400, _figure("cold_page_ms", size="15M", store="S3")),
    Target("cold page, 100 MB, S3", " ms", 1500, _figure("cold_page_ms", size="100M", store="S3")),
    Target(
        "page after one more step, 15 MB, of the cold time",
        " %",
        10,
        _part("reserved_ms", "cold_page_ms", 100, size="15M"),
    ),
    Target("first page with assets on the wire", " KB", 120, _figure("page_wire_kb")),
    Target(
        "first contentful paint, 100 MB against 60 KB", " x", 1.3, _growth("first_paint_ms", "100M", "60K")
    ),
    Target("last turn readable, 15 MB", " ms", 500, _figure("last_turn_ms", size="15M", store="disk")),
    Target("blocking time, 15 MB", " ms", 100, _figure("blocking_ms", size="15M", store="disk")),
    Target("worker memory, 100 MB, peak", " MB", 300, _figure("peak_mb", size="100M")),
    Target("worker memory, 100 MB, afterwards", " MB", 150, _figure("held_mb", size="100M")),
    Target("CPU of an upload link, SQLite", " ms", 2.5, _link("SQLite")),
    Target("CPU of an upload link, PostgreSQL", " ms", 2.5, _link("PostgreSQL")),
)


def check_targets(rows: Sequence[Row], links: Sequence[Row]) -> list[Row]:
    return [target.check(rows, links) for target in TARGETS]
