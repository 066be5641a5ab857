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
    ranked = sorted(enumerate(findings), key=lambda ranked: (ranked[1].start, ranked[0]))
    result: list[tuple[int, Finding]] = []
    for rank, finding in ranked:
        if result and finding.start < result[-1][1].end:
            best, last = result[-1]
            kind = finding.kind if rank < best else last.kind
            result[-1] = (min(rank, best), Finding(last.start, max(last.end, finding.end), kind))
        else:
            result.append((rank, finding))
    return [finding for _, finding in result]
