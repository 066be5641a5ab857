"""Finds secrets in a text with the rules of `rules.json`, in time that is linear in its length."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.redaction import private_keys
from app.redaction.encoded import find_encoded
from app.redaction.finding import Finding, end_of_value, merge_overlaps
from app.redaction.heuristics import passes
from app.redaction.literals import Literals
from app.redaction.names import find_named
from app.redaction.rules import NAME_ANCHORS, RULES, Rule
from app.redaction.stripped_text import unwrapped
from app.redaction.words import Word, long_words

# The characters between a command, as `curl`, and the option of a rule.
MAX_CONTEXT = 300
# The characters of a token ahead of its anchor.
MAX_EXTENDED = 128
# A match of this length that is no secret is not matched again in its first half.
MAX_SEARCHED_AGAIN = 64

Offsets = Mapping[str, Sequence[int]]

_MARKS = (private_keys.BEGIN, private_keys.END)
_LITERALS = Literals(
    (*(literal for rule in RULES for literal in (*rule.anchors, *rule.after)), *NAME_ANCHORS, *_MARKS)
)


def find(text: str, rules: Iterable[Rule] = RULES) -> list[Finding]:
    """Return what the rules find, in order and without overlaps; the earlier rule names an overlap."""
    words = long_words(text)
    found = _find_plain(text, words, rules)
    wrapped = unwrapped(text, words)
    if wrapped:
        inside = _find_encoded(wrapped.plain, long_words(wrapped.plain), rules)
        encoded = wrapped.restored(inside)
    else:
        encoded = list(_find_encoded(text, words, rules))
    return merge_overlaps([*found, *encoded]) if encoded else found


def _find_encoded(text: str, words: Sequence[Word], rules: Iterable[Rule]) -> Iterator[Finding]:
    return find_encoded(text, words, lambda decoded: _find_plain(decoded, long_words(decoded), rules))


def _find_plain(text: str, words: Sequence[Word], rules: Iterable[Rule]) -> list[Finding]:
    offsets = _LITERALS.offsets(lower(text))
    begins, ends = (offsets.get(mark, ()) for mark in _MARKS)
    findings = list(private_keys.find_private_keys(text, begins, ends))
    for rule in rules:
        findings.extend(_matches(rule, text, offsets, words))
    findings.extend(find_named(text, _merged(offsets, NAME_ANCHORS)))
    return merge_overlaps(findings)


def lower(text: str) -> str:
    """Return `text` in lower case with the same length, so that offsets are valid in both."""
    lowered = text.lower()
    return (
        lowered
        if len(lowered) == len(text)
        else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)
    )


def _merged(offsets: Offsets, literals: Iterable[str]) -> list[int]:
    found = [offsets[literal] for literal in literals if literal in offsets]
    if len(found) <= 1:
        return list(found[0]) if found else []
    return sorted({offset for places in found for offset in places})


def _matches(rule: Rule, text: str, offsets: Offsets, words: Iterable[Word]) -> Iterator[Finding]:
    position = 0
    for start in _starts(rule, text, offsets) if rule.anchors else (word.start for word in words):
        if start < position:
            continue
        match = rule.pattern.match(text, start)
        if not match:
            continue
        first, end = match.span(match.lastindex or 0)
        first = _extended(rule, text, first)
        if rule.check is None or passes(rule.check, text[first:end]):
            end = end_of_value(text, first, end)
            yield Finding(first, end, rule.kind)
            position = end
        elif end - first > MAX_SEARCHED_AGAIN:
            position = (first + end) // 2


def _starts(rule: Rule, text: str, offsets: Offsets) -> Iterator[int]:
    """The offsets at which the pattern of a rule with anchors is matched."""
    anchors = _merged(offsets, rule.anchors)
    if not anchors:
        return
    contexts = _merged(offsets, rule.after) if rule.after else None
    if contexts == []:
        return
    if contexts is not None:
        anchors = [anchor for anchor in anchors if _is_after(text, anchor, contexts)]
    if rule.before == (0,):
        yield from anchors
    else:
        yield from (anchor - before for anchor in anchors for before in rule.before if anchor >= before)


def _is_after(text: str, anchor: int, contexts: Sequence[int]) -> bool:
    index = bisect_right(contexts, anchor)
    if index == 0 or anchor - contexts[index - 1] > MAX_CONTEXT:
        return False
    return "\n" not in text[contexts[index - 1] : anchor].replace("\\\n", "")


def _extended(rule: Rule, text: str, start: int) -> int:
    if not rule.extend:
        return start
    before = text[max(0, start - MAX_EXTENDED) : start]
    return start - len(before) + len(before.rstrip(rule.extend))
