"""Finds secrets in a text with the rules of `rules.json`, in time that is linear in its length."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.redaction import private_keys
from app.redaction.encoded import find_encoded
from app.redaction.finding import Finding, end_of_value, merge_overlaps
from app.redaction.heuristics import passes
from app.redaction.literals import Literals
from app.redaction.names import find_named
from app.redaction.rules import NAME_ANCHORS, PROVIDER_LENGTHS, RULES, Rule
from app.redaction.stripped_text import unwrapped
from app.redaction.unprefixed import find_unprefixed
from app.redaction.values import before_values
from app.redaction.words import Word, long_words

# The characters between a command, as `curl`, and the option of a rule.
MAX_CONTEXT = 300
# The characters of a token ahead of its anchor.
MAX_EXTENDED = 128
# A match of this length that is no secret is not matched again in its first half.
MAX_SEARCHED_AGAIN = 64

# The one letter that is longer in lower case.
_GROWING = "\u0130"

Offsets = Mapping[str, Sequence[int]]

_MARKS = (private_keys.BEGIN, private_keys.END)

# What found something, the name of a rule for example, and the finding.
Reason = tuple[str, Finding]


class Scanner:
    """Finds secrets with `rules`; where several overlap, the earlier one says what was found."""

    def __init__(self, rules: Iterable[Rule] = RULES) -> None:
        self._rules = tuple(rules)
        # The indices of the rules with each anchor, and of those without any.
        self._anchored: defaultdict[str, list[int]] = defaultdict(list)
        for index, rule in enumerate(self._rules):
            for anchor in rule.anchors:
                self._anchored[anchor].append(index)
        self._others = [index for index, rule in enumerate(self._rules) if not rule.anchors]
        contexts = (literal for rule in self._rules for literal in rule.after)
        self._literals = Literals((*self._anchored, *contexts, *NAME_ANCHORS, *PROVIDER_LENGTHS, *_MARKS))

    def find(self, text: str) -> list[Finding]:
        """Return what was found, in order and without overlaps."""
        return merge_overlaps(finding for _, finding in self.reasons(text))

    def reasons(self, text: str) -> Iterator[Reason]:
        """Yield all that was found, also what overlaps, the more specific first."""
        words = long_words(text)
        yield from self._reasons(text, words)
        wrapped = unwrapped(text, words)
        if wrapped:
            inside = find_encoded(wrapped.plain, long_words(wrapped.plain), self._find_decoded)
            encoded: Iterable[Finding] = wrapped.restored(inside)
        else:
            encoded = find_encoded(text, words, self._find_decoded)
        yield from (("Base64 of a text with secrets", finding) for finding in encoded)

    def _find_decoded(self, text: str) -> list[Finding]:
        return merge_overlaps(finding for _, finding in self._reasons(text, long_words(text)))

    def _reasons(self, text: str, words: Sequence[Word]) -> Iterator[Reason]:
        offsets = self._literals.offsets(lower(text))
        begins, ends = (offsets.get(mark, ()) for mark in _MARKS)
        for finding in private_keys.find_private_keys(text, begins, ends):
            yield "Private key", finding
        for rule in self._rules_of(offsets, words):
            for finding in _matches(rule, text, offsets, words):
                yield rule.name, finding
        for finding in find_named(text, _merged(offsets, NAME_ANCHORS)):
            yield "Value of a secret name", finding
        for finding in find_unprefixed(text, offsets):
            yield "Key behind the name of its provider", finding

    def _rules_of(self, offsets: Offsets, words: Sequence[Word]) -> list[Rule]:
        """The rules that may match, in order: few of all have an anchor in a text."""
        indices = {index for literal in offsets for index in self._anchored.get(literal, ())}
        indices.update(self._others if words else ())
        return [self._rules[index] for index in sorted(indices)]


SCANNER = Scanner()


def lower(text: str) -> str:
    """Return `text` in lower case with the same length, so that offsets are valid in both."""
    return _GROWING.join(map(str.lower, text.split(_GROWING)))


def _merged(offsets: Offsets, literals: Iterable[str]) -> Sequence[int]:
    found = [offsets[literal] for literal in literals if literal in offsets]
    if len(found) <= 1:
        return found[0] if found else ()
    return sorted({offset for places in found for offset in places})


def _matches(rule: Rule, text: str, offsets: Offsets, words: Iterable[Word]) -> Iterator[Finding]:
    position = 0
    match_at = rule.pattern.match
    starts = _starts(rule, text, offsets) if rule.anchors else (word.start for word in words)
    for start in starts if rule.reach is None else before_values(text, starts, rule.reach):
        if start < position:
            continue
        match = match_at(text, start)
        if not match:
            continue
        first, end = match.span(match.lastindex or 0)
        if rule.extend:
            first = _extended(rule, text, first)
        if rule.check is None or passes(rule.check, text[first:end]):
            end = end_of_value(text, first, end)
            yield Finding(first, end, rule.kind)
            position = end
        elif end - first > MAX_SEARCHED_AGAIN:
            position = (first + end) // 2


def _starts(rule: Rule, text: str, offsets: Offsets) -> Sequence[int]:
    """The offsets at which the pattern of a rule with anchors is matched."""
    anchors = _merged(offsets, rule.anchors)
    if anchors and rule.after:
        contexts = _merged(offsets, rule.after)
        anchors = [anchor for anchor in anchors if _is_after(text, anchor, contexts)]
    if rule.before == (0,):
        return anchors
    return [anchor - before for anchor in anchors for before in rule.before if anchor >= before]


def _is_after(text: str, anchor: int, contexts: Sequence[int]) -> bool:
    index = bisect_right(contexts, anchor)
    if index == 0 or anchor - contexts[index - 1] > MAX_CONTEXT:
        return False
    return "\n" not in text[contexts[index - 1] : anchor].replace("\\\n", "")


def _extended(rule: Rule, text: str, start: int) -> int:
    before = text[max(0, start - MAX_EXTENDED) : start]
    return start - len(before) + len(before.rstrip(rule.extend))
