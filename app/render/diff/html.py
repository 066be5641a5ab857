"""Renders the diff of a file as rows for a template: highlighted, changed words marked, within limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from markupsafe import Markup, escape

from app.lib.budget import MAX_CODE_BYTES, Budget
from app.lib.time_limit import TimeLimitExceeded
from app.render.diff.model import FileDiff, Hunk, Row
from app.render.diff.words import Range, changed_words, mark
from app.render.filters import short, visible
from app.render.text.highlight import highlight, language_of_file

MAX_ROWS = 500
MAX_CHARACTERS = 64 * 1024
MAX_ROW_CHARACTERS = 2_000
# Costs in rows (Budget.take_rows): the header of a file's diff, and this many characters of a long row.
HEAD_ROWS = 3
ROW_CHARACTERS = 200
# Limits for marking changed words in one file.
MAX_MARKED_PAIRS = 200
MAX_SECONDS = 0.5


class DiffLine(NamedTuple):
    """A row of the table; `hunk` rows have the header of the rows that follow."""

    kind: Literal["context", "added", "removed", "hunk"]
    old_number: int | None
    new_number: int | None
    html: Markup
    ends_with_newline: bool = True


@dataclass(frozen=True)
class DiffLines:
    """The rows of a file's diff, and how much was left out."""

    file: FileDiff
    lines: Sequence[DiffLine]
    hidden_rows: int
    hidden_characters: int


def diff_lines(file: FileDiff, budget: Budget) -> DiffLines:
    """The first rows of a file, within MAX_ROWS, MAX_CHARACTERS and the budget of the page."""
    language = language_of_file(file.path)
    hunks = list(_within(file.hunks, budget))
    pairs_left = MAX_MARKED_PAIRS
    lines: list[DiffLine] = []
    for hunk in hunks:
        if hunk.header:
            lines.append(DiffLine("hunk", None, None, escape(short(_one_line(hunk.header)))))
        words = _words(hunk.rows, budget, pairs_left)
        pairs_left -= len(words) // 2
        for place, (row, html) in enumerate(
            zip(hunk.rows, _highlighted(hunk, language, budget), strict=True)
        ):
            html = mark(html, words.get(place, ()))
            lines.append(DiffLine(row.kind, row.old_number, row.new_number, html, row.ends_with_newline))
    sizes = [len(row.text) for hunk in file.hunks for row in hunk.rows]
    row_count = sum(len(hunk.rows) for hunk in hunks)
    hidden = sum(sizes) - sum(min(size, MAX_ROW_CHARACTERS) for size in sizes[:row_count])
    return DiffLines(file, lines, len(sizes) - row_count, hidden)


def _within(hunks: Sequence[Hunk], budget: Budget) -> Iterator[Hunk]:
    """The hunks within the limits, with the texts of their rows made visible."""
    rows_left, characters_left = MAX_ROWS, MAX_CHARACTERS
    for hunk in hunks:
        has_windows_lines = _has_windows_lines(hunk.rows)
        rows: list[Row] = []
        for row in hunk.rows[:rows_left]:
            text = row.text.removesuffix("\r") if has_windows_lines else row.text
            if len(text) > MAX_ROW_CHARACTERS:
                text = text[:MAX_ROW_CHARACTERS] + "…"
            characters_left -= len(text)
            if characters_left < 0 or not budget.take_rows(1 + len(text) // ROW_CHARACTERS):
                break
            rows.append(row._replace(text=visible(_one_line(text))))
        if rows:
            yield Hunk(hunk.header, rows)
        rows_left -= len(rows)
        if len(rows) < len(hunk.rows):
            return


def _has_windows_lines(rows: Sequence[Row]) -> bool:
    """Whether every line ends with a carriage return; the last one of a file may end with nothing."""
    old = [row for row in rows if row.kind != "added"]
    new = [row for row in rows if row.kind != "removed"]
    return all(_is_windows(side) for side in (old, new)) and any(row.text.endswith("\r") for row in rows)


def _is_windows(side: Sequence[Row]) -> bool:
    if not all(row.text.endswith("\r") for row in side[:-1]):
        return False
    return not side or len(side) > 1 or side[-1].text.endswith("\r") or not side[-1].ends_with_newline


def _one_line(text: str) -> str:
    """Replaces carriage returns by their symbol, because highlighting would treat them as line ends."""
    return text.replace("\r", "␍")


def _highlighted(hunk: Hunk, language: str | None, budget: Budget) -> list[Markup]:
    """The rows highlighted as parts of the old and of the new text, because a token may span lines."""
    new = _side(hunk.rows, lambda row: row.kind != "removed", language, budget)
    old: dict[int, Markup] = {}
    if any(row.kind == "removed" for row in hunk.rows):
        old = _side(hunk.rows, lambda row: row.kind != "added", language, budget)
    return [(old if row.kind == "removed" else new)[place] for place, row in enumerate(hunk.rows)]


def _side(
    rows: Sequence[Row], is_on_side: Callable[[Row], bool], language: str | None, budget: Budget
) -> dict[int, Markup]:
    places = [place for place, row in enumerate(rows) if is_on_side(row)]
    html: list[Markup] = []
    for chunk in _chunks([rows[place].text for place in places]):
        html += highlight("\n".join(chunk), language, budget)
    return dict(zip(places, html, strict=True))


def _chunks(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines in chunks that are small enough to be highlighted."""
    chunk: list[str] = []
    size = 0
    for line in lines:
        if chunk and size + len(line) + 1 > MAX_CODE_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line) + 1
    if chunk:
        yield chunk


def _words(rows: Sequence[Row], budget: Budget, max_pairs: int) -> dict[int, list[Range]]:
    """The changed words of rows that have a counterpart on the other side, by the index of the row."""
    pairs = list(_pairs(rows))[:max_pairs]
    words: dict[int, list[Range]] = {}
    if not pairs:
        return words
    try:
        with budget.time_limit(MAX_SECONDS):
            for old, new in pairs:
                words[old], words[new] = changed_words(rows[old].text, rows[new].text)
    except TimeLimitExceeded:
        return {}
    return words


def _pairs(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """The indexes of removed rows, each with that of the added row that replaced it."""
    removed: list[int] = []
    for kind, run in groupby(range(len(rows)), key=lambda place: rows[place].kind):
        places = list(run)
        if kind == "added":
            yield from zip(removed, places, strict=False)
        removed = places if kind == "removed" else []
