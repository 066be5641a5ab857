"""Diffs as data: files, hunks and rows; and the diff of two texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal, NamedTuple

Kind = Literal["context", "added", "removed"]
Status = Literal["added", "deleted", "modified", "renamed"]

# difflib takes up to the square of the lines between the common beginning and end of two texts.
MAX_COMPARED_LINES = 1_000
CONTEXT_LINES = 3


class Row(NamedTuple):
    """A line of a diff; numbers are None where the diff has none."""

    kind: Kind
    old_number: int | None
    new_number: int | None
    text: str
    ends_with_newline: bool = True


@dataclass
class Hunk:
    """Lines that belong together; `header` is its `@@` line."""

    header: str
    rows: list[Row] = field(default_factory=list)


@dataclass
class FileDiff:
    """What happened to one file; `old_path` is its earlier name where it was renamed.

    It was only attempted unless `is_applied`.
    """

    path: str
    old_path: str | None = None
    status: Status = "modified"
    hunks: list[Hunk] = field(default_factory=list)
    is_applied: bool = True

    @property
    def added(self) -> int:
        return self._count("added")

    @property
    def removed(self) -> int:
        return self._count("removed")

    def _count(self, kind: Kind) -> int:
        return sum(row.kind == kind for hunk in self.hunks for row in hunk.rows)


KINDS: dict[str, Kind] = {" ": "context", "+": "added", "-": "removed"}


class Rows:
    """Builds the rows of a hunk, numbering the lines of both sides from where it starts."""

    def __init__(self, hunk: Hunk, old_start: int | None, new_start: int | None) -> None:
        self._rows = hunk.rows
        self._old = old_start
        self._new = new_start

    def add(self, kind: Kind, text: str) -> None:
        old = None if kind == "added" else self._old
        new = None if kind == "removed" else self._new
        self._rows.append(Row(kind, old, new, text))
        if old is not None:
            self._old = old + 1
        if new is not None:
            self._new = new + 1

    def end_without_newline(self) -> None:
        """Marks the last row as the end of its file, without a newline."""
        if self._rows:
            self._rows[-1] = self._rows[-1]._replace(ends_with_newline=False)


def diff_texts(before: str, after: str, path: str) -> FileDiff:
    """The diff of two files; all old lines and then all new ones if comparing them would cost too much."""
    old, new = _lines(before), _lines(after)
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    hunks = [_hunk(group, old, new) for group in _changes(old, new, start, end)]
    status: Status = "modified"
    if not (old and new):
        status = "deleted" if old else "added"
    return FileDiff(path, None, status, hunks)


def diff_excerpts(before: str, after: str, path: str) -> FileDiff:
    """The diff of a piece of a file, whose place in it is not known: without line numbers."""
    file = diff_texts(before, after, path)
    for hunk in file.hunks:
        hunk.header = ""
        hunk.rows = [row._replace(old_number=None, new_number=None) for row in hunk.rows]
    return replace(file, status="modified")


Change = tuple[str, int, int, int, int]


def _changes(old: Sequence[str], new: Sequence[str], start: int, end: int) -> list[list[Change]]:
    """Grouped opcodes as `difflib` defines them, for texts with `start` and `end` lines in common."""
    old_end, new_end = len(old) - end, len(new) - end
    before, after = min(start, CONTEXT_LINES), min(end, CONTEXT_LINES)
    if max(old_end, new_end) - start > MAX_COMPARED_LINES:
        return [
            [
                ("equal", start - before, start, start - before, start),
                ("replace", start, old_end, start, new_end),
                ("equal", old_end, old_end + after, new_end, new_end + after),
            ]
        ]
    first = start - before
    matcher = SequenceMatcher(None, old[first : old_end + after], new[first : new_end + after])
    return [
        [(tag, a + first, b + first, c + first, d + first) for tag, a, b, c, d in group]
        for group in matcher.get_grouped_opcodes(CONTEXT_LINES)
        if len(group) > 1 or group[0][0] != "equal"
    ]


def _hunk(changes: Sequence[Change], old: Sequence[str], new: Sequence[str]) -> Hunk:
    (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = changes[0], changes[-1]
    sides = (f"-{_range(old_start, old_end)}", f"+{_range(new_start, new_end)}")
    hunk = Hunk(f"@@ {sides[0]} {sides[1]} @@")
    rows = Rows(hunk, old_start + 1, new_start + 1)
    for tag, a, b, c, d in changes:
        for text in old[a:b]:
            rows.add("context" if tag == "equal" else "removed", text)
        for text in () if tag == "equal" else new[c:d]:
            rows.add("added", text)
    return hunk


def _range(start: int, end: int) -> str:
    return f"{start + 1 if end > start else start},{end - start}"


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts have in common at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
