"""What servers held over the day, as a table and in judgement."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.processes import MB

COLUMNS = ("shares", "memory", "files", "threads", "processes", "connections", "database", "cache")
OF_BYTES = frozenset({"memory", "database", "cache"})
# The hours before fill caches and pools.
MORNING, EVENING = (8, 9, 10), (21, 22, 23)
# What must not have grown in the evening, by more than this part of what it was in the morning.
STEADY = ("memory", "files", "threads", "processes", "connections")
GROWTH = 0.2

# Figures by the names of COLUMNS, at the end of an hour.
Sample = Mapping[str, float]


def line(sample: Sample) -> str:
    return ", ".join(f"{name} {_shown(name, sample[name])}" for name in COLUMNS)


def table(samples: Sequence[Sample]) -> str:
    """Medians of some hours in the morning and in the evening, and the most of the day."""
    lines = ["| | Morning | Most | Evening |", "|---|---|---|---|"]
    for name in COLUMNS:
        most = max(sample[name] for sample in samples)
        values = (_median(samples, MORNING, name), most, _median(samples, EVENING, name))
        lines.append(f"| {name} | {' | '.join(_shown(name, value) for value in values)} |")
    return "\n".join(lines)


def misses(samples: Sequence[Sample], max_cache_bytes: float) -> list[str]:
    """A sentence for each figure that is larger in the evening than in the morning, and for the cache."""
    sentences = []
    for name in STEADY:
        morning, evening = (_median(samples, hours, name) for hours in (MORNING, EVENING))
        if evening > morning * (1 + GROWTH):
            sentences.append(f"{name} grew from {_shown(name, morning)} to {_shown(name, evening)}")
    if max(sample["cache"] for sample in samples) > max_cache_bytes:
        sentences.append(f"the cache was larger than {_shown('cache', max_cache_bytes)}")
    return sentences


def _median(samples: Sequence[Sample], hours: Sequence[int], name: str) -> float:
    return statistics.median(samples[hour][name] for hour in hours)


def _shown(name: str, value: float) -> str:
    return f"{value / MB:.0f} MB" if name in OF_BYTES else f"{value:.0f}"
