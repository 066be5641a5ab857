"""Puts the two sides of a diff beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, zip_longest
from typing import Literal, NamedTuple

from app.render.diff.html import DiffLine


class SplitRow(NamedTuple):
    """A line before and after; None where a side has no line. Unchanged lines are on both."""

    old: DiffLine | None
    new: DiffLine | None


class SplitGroup(NamedTuple):
    """Rows that are all unchanged, all changed, or the header of a hunk."""

    kind: Literal["context", "change", "hunk"]
    rows: Sequence[SplitRow]


def split_groups(lines: Sequence[DiffLine]) -> list[SplitGroup]:
    """The lines in groups; removed lines stand beside the added ones in their place, from the first on."""
    groups: list[SplitGroup] = []
    for kind, run in groupby(
        lines, key=lambda line: line.kind if line.kind in ("context", "hunk") else "change"
    ):
        members = list(run)
        if kind == "change":
            groups.append(SplitGroup("change", _pairs(members)))
        else:
            name: Literal["context", "hunk"] = "hunk" if kind == "hunk" else "context"
            groups.append(SplitGroup(name, [SplitRow(line, line) for line in members]))
    return groups


def _pairs(lines: Sequence[DiffLine]) -> list[SplitRow]:
    """Changed lines in pairs: those that were removed, each with the added one in its place."""
    rows: list[SplitRow] = []
    removed: list[DiffLine] = []
    for kind, run in groupby(lines, key=lambda line: line.kind):
        if kind == "removed":
            rows += (SplitRow(line, None) for line in removed)
            removed = list(run)
        else:
            rows += (SplitRow(*pair) for pair in zip_longest(removed, run))
            removed = []
    return [*rows, *(SplitRow(line, None) for line in removed)]
