"""Finds secrets in a text by the rules."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.redaction.heuristics import CHECKS
from app.redaction.rules import RULES, Rule

WORD_CHARACTERS = string.ascii_letters + string.digits + "_-"
# What stands before the telling part of a token, as in `lin_api_`.
MAX_PREFIX = 24
# Patterns have to end: of a longer secret they may have found the beginning only.
MAX_WHOLE = 500

_RUN = re.compile(r"[A-Za-z0-9+/=_%-]+")


class Finding(NamedTuple):
    """A secret of `kind` from `start` to `end`."""

    start: int
    end: int
    kind: str


def find(text: str, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """What `rules` find, in order; of two that overlap, the earlier rule names both."""
    lowered = lower(text)
    findings: list[Finding] = []
    for rule in rules:
        searched = lowered if rule.ignores_case else text
        if any(hint in searched for hint in rule.hints):
            findings.extend(_matches(rule, searched, text))
    return merge_overlaps(findings)


def lower(text: str) -> str:
    """`text` in lower case, every character in its old place."""
    lowered = text.lower()
    return (
        lowered
        if len(lowered) == len(text)
        else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
    )


def merge_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in order, those that overlap as one; the one that was given first names it."""
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
            # Inside of what was no secret, though it had a name, one may begin.
            position = match.start(1) if group else end


def _start_of_word(text: str, end: int) -> int:
    before = text[max(0, end - MAX_PREFIX) : end]
    return end - len(before) + len(before.rstrip(WORD_CHARACTERS))


def _end_of_run(text: str, start: int) -> int:
    run = _RUN.match(text, start)
    return run.end() if run else start
