"""A figure that the service must reach, and where it stands in the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
        known = [each for each in figures if each is not None]
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


def figure(name: str, **where: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    return lambda rows, _api: [row.get(name) for row in _select(rows, where)]


def part(
    name: str, whole: str, scale: float, **where: str
) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    """One figure of a row against another of the same row."""
    return lambda rows, _api: [_ratio(row.get(name), row.get(whole), scale) for row in _select(rows, where)]


def growth(name: str, large: str, small: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
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


def part_of_api(name: str, whole: str, database: str) -> Callable[[Sequence[Row], Sequence[Row]], Figures]:
    return lambda _rows, api: [
        _ratio(row.get(name), row.get(whole), 1) for row in _select(api, {"database": database})
    ]


def _select(rows: Iterable[Row], where: Row) -> list[Row]:
    return [row for row in rows if all(row[key] == value for key, value in where.items())]


def _ratio(one: float | None, other: float | None, scale: float) -> float | None:
    return one / other * scale if one is not None and other else None
