"""What the rules find, and what becomes of several findings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

# Patterns are bounded: a match of this length may be the beginning of a longer secret.
MAX_WHOLE = 500

_RUN = re.compile(r"[A-Za-z0-9+/=_%.-]+")


class Finding(NamedTuple):
    """A secret of `kind` at `text[start:end]`."""

    start: int
    end: int
    kind: str


def end_of_value(text: str, start: int, end: int) -> int:
    """Return where a secret that was matched at `text[start:end]` really ends."""
    run = _RUN.match(text, end) if end - start >= MAX_WHOLE else None
    return run.end() if run else end


def merge_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings in order, overlapping ones merged under the kind that came first in the input."""
    found = list(findings)
    result: list[Finding] = []
    start = end = best = 0
    kind = ""
    for rank in sorted(range(len(found)), key=[finding.start for finding in found].__getitem__):
        next_start, next_end, next_kind = found[rank]
        if next_start >= end:
            if end:
                result.append(Finding(start, end, kind))
            start, end, kind, best = next_start, next_end, next_kind, rank
            continue
        if rank < best:
            kind, best = next_kind, rank
        end = max(end, next_end)
    return [*result, Finding(start, end, kind)] if found else []
