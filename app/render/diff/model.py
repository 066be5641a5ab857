"""Diffs as data: files, hunks and rows; and the diff of two texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Literal, NamedTuple

from rapidfuzz.distance import LCSseq

Kind = Literal["context", "added", "removed"]
Status = Literal["added", "deleted", "modified", "renamed"]

# Comparing takes the product of the lines between the common beginning and end, 64 of them at a time: two
# milliseconds for as many as these, and two megabytes.
MAX_COMPARED_LINES = 4_000
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

    `facts` are what its lines do not show: that it is binary, or has another mode. It was only attempted
    unless `is_applied`.
    """

    path: str
    old_path: str | None = None
    status: Status = "modified"
    hunks: list[Hunk] = field(default_factory=list)
    is_applied: bool = True
    facts: Sequence[str] = ()

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

    def add_all(self, kind: Kind, texts: Iterable[str]) -> None:
        for text in texts:
            self.add(kind, text)

    def end_without_newline(self) -> None:
        """Marks the last row as the end of its file, without a newline."""
        if self._rows:
            self._rows[-1] = self._rows[-1]._replace(ends_with_newline=False)


def diff_texts(before: str, after: str, path: str) -> FileDiff:
    """The diff of two files; all old lines and then all new ones if comparing them would cost too much."""
    old, new = _lines(before), _lines(after)
    hunks = [_hunk(group, old, new) for group in _groups(_changes(old, new))]
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


# `old[a:b]` became `new[c:d]`.
Change = tuple[int, int, int, int]


def _changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """What differs between two texts, with the most lines in common that they can have."""
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    old_end, new_end = len(old) - end, len(new) - end
    if max(old_end, new_end) - start > MAX_COMPARED_LINES:
        return [(start, old_end, start, new_end)]
    changes: list[Change] = []
    for code in LCSseq.opcodes(old[start:old_end], new[start:new_end]):
        if code.tag == "equal":
            continue
        a, b = start + code.src_start, start + code.src_end
        c, d = start + code.dest_start, start + code.dest_end
        if changes and changes[-1][1] == a and changes[-1][3] == c:
            # What was removed and what was added there are one change.
            a, _, c, _ = changes.pop()
        changes.append((a, b, c, d))
    return changes


def _groups(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes of each hunk: those between which there is nothing but context."""
    groups: list[list[Change]] = []
    for change in changes:
        if groups and change[0] - groups[-1][-1][1] <= 2 * CONTEXT_LINES:
            groups[-1].append(change)
        else:
            groups.append([change])
    return groups


def _hunk(changes: Sequence[Change], old: Sequence[str], new: Sequence[str]) -> Hunk:
    """The rows of some changes, with the context between and around them."""
    first, last = changes[0], changes[-1]
    before = min(first[0], CONTEXT_LINES)
    after = min(len(old) - last[1], CONTEXT_LINES)
    old_range = _range(first[0] - before, last[1] + after)
    hunk = Hunk(f"@@ -{old_range} +{_range(first[2] - before, last[3] + after)} @@")
    place = first[0] - before
    rows = Rows(hunk, place + 1, first[2] - before + 1)
    for a, b, c, d in changes:
        rows.add_all("context", old[place:a])
        rows.add_all("removed", old[a:b])
        rows.add_all("added", new[c:d])
        place = b
    rows.add_all("context", old[place : last[1] + after])
    return hunk


def _range(start: int, end: int) -> str:
    return f"{start + 1 if end > start else start},{end - start}"


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts have in common at the beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
