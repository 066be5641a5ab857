"""Cuts a diff into what is shown at once and unchanged lines that a reader unfolds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.render.diff.html import DiffLine
from app.render.diff.split import SplitGroup, split_groups

# How many unchanged lines stay around a change, and how many are worth a line to unfold them.
CONTEXT_LINES = 3
MIN_FOLDED_LINES = 4


@dataclass(frozen=True)
class Piece:
    """Lines that follow each other."""

    lines: Sequence[DiffLine]
    is_folded: bool = False

    @property
    def groups(self) -> Sequence[SplitGroup]:
        """The lines side by side."""
        return split_groups(self.lines)


def fold_context(lines: Sequence[DiffLine]) -> list[Piece]:
    """The lines of a diff, with folded pieces where nothing changed nearby.

    The header of a hunk that begins with its file is left out: it says where lines are missing.
    """
    pieces: list[Piece] = []
    shown: list[DiffLine] = []
    for run, is_folded in _runs(lines):
        if not is_folded:
            shown += run
            continue
        if shown:
            pieces.append(Piece(shown))
            shown = []
        pieces.append(Piece(run, is_folded=True))
    return [*pieces, Piece(shown)] if shown else pieces


def _runs(lines: Sequence[DiffLine]) -> Iterator[tuple[Sequence[DiffLine], bool]]:
    """Runs of lines of one kind, and which of them are folded."""
    grouped = [list(run) for _, run in groupby(lines, key=lambda line: line.kind)]
    for place, run in enumerate(grouped):
        before = grouped[place - 1][0].kind if place else "hunk"
        after = grouped[place + 1][0].kind if place + 1 < len(grouped) else "hunk"
        if run[0].kind == "hunk":
            if not _begins_file(grouped[place + 1 : place + 2]):
                yield run[-1:], False
        elif run[0].kind == "context":
            # Nothing changed before the first line of a hunk, nor after its last one.
            first = 0 if before == "hunk" else CONTEXT_LINES
            last = len(run) - (0 if after == "hunk" else CONTEXT_LINES)
            if last - first < MIN_FOLDED_LINES:
                yield run, False
            else:
                yield run[:first], False
                yield run[first:last], True
                yield run[last:], False
        else:
            yield run, False


def _begins_file(following: Sequence[Sequence[DiffLine]]) -> bool:
    return any(1 in (line.old_number, line.new_number) for run in following for line in run[:1])
