"""Says which parts of a text are removed as secrets, and why."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from app.redaction.finding import merge_overlaps
from app.redaction.scanner import SCANNER, Scanner
from app.redaction.stripped_text import without_ansi


class Removal(NamedTuple):
    """A removed part: the number of its line, its length, and the names of the rules that found it."""

    line: int
    length: int
    kind: str
    reasons: list[str]


def explain(text: str, scanner: Scanner = SCANNER) -> Iterator[Removal]:
    """Yield what the rules remove from a text, in order."""
    styles = without_ansi(text)
    plain = styles.plain if styles else text
    reasons = list(scanner.reasons(plain))
    removed = merge_overlaps(finding for _, finding in reasons)
    starts = [finding.start for finding in removed]
    names: list[dict[str, None]] = [{} for _ in removed]
    for name, finding in reasons:
        names[bisect_right(starts, finding.start) - 1][name] = None
    line, position = 1, 0
    for finding, found_by in zip(removed, names, strict=True):
        line += plain.count("\n", position, finding.start)
        position = finding.start
        yield Removal(line, finding.end - finding.start, finding.kind, list(found_by))
