"""Finds secrets in a text with the patterns of `rules.json`."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.redaction.heuristics import CHECKS
from app.redaction.rules import RULES, Rule

WORD_CHARACTERS = string.ascii_letters + string.digits + "_-"
# The longest prefix of a token, like `lin_api_`, before the part that a pattern matches.
MAX_PREFIX = 24
# Patterns are bounded: a match of this length may be the beginning of a longer secret.
MAX_WHOLE = 500

_RUN = re.compile(r"[A-Za-z0-9+/=_%-]+")


class Finding(NamedTuple):
    """A secret of `kind` at `text[start:end]`."""

    start: int
    end: int
    kind: str


def find(text: str, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Return the matches of `rules`, in order and without overlaps; the earlier rule names an overlap."""
    lowered = lower(text)
    findings: list[Finding] = []
    for rule in rules:
        searched = lowered if rule.ignores_case else text
        if any(hint in searched for hint in rule.hints):
            findings.extend(_matches(rule, searched, text))
    return merge_overlaps(findings)


def lower(text: str) -> str:
    """Return `text` in lower case with the same length, so that offsets are valid in both."""
    lowered = text.lower()
    return (
        lowered
        if len(lowered) == len(text)
        else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
    )


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


def _matches(rule: Rule, searched: str, text: str) -> Iterator[Finding]:
    group = 1 if rule.pattern.groups else 0
    position = 0
    while match := rule.pattern.search(searched, position):
        start, end = match.span(group)
        if rule.is_word:
            start = _start_of_word(text, start)
        if rule.check is None or CHECKS[rule.check](text[start:end]):
            whole = end if end - start < MAX_WHOLE else _end_of_run(text, end)
            yield Finding(start, whole, rule.kind)
            position = whole
        else:
            # A secret may begin inside a value that failed the check.
            position = match.start(1) if group else end


def _start_of_word(text: str, end: int) -> int:
    before = text[max(0, end - MAX_PREFIX) : end]
    return end - len(before) + len(before.rstrip(WORD_CHARACTERS))


def _end_of_run(text: str, start: int) -> int:
    run = _RUN.match(text, start)
    return run.end() if run else start
