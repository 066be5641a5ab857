"""The rules, measured: made-up secrets in five surroundings, and texts that have none, in both engines."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from app.redaction.rules import RULES
from app.redaction.scanner import Scanner
from tests.redaction.cases import Negative, Positive, negatives, positives
from tests.redaction.engines import by_plugin, by_server
from tests.redaction.kinds import COMMON, KINDS, PER_KIND, SET_ASIDE, secrets
from tests.support.recorded import NAMES, document

MARKER = re.compile(r"\[redacted:([a-z-]+)\]")
# As much of a secret as may be left over.
PIECE = 16

Report = Callable[[str], None]


@dataclass(frozen=True)
class Results:
    """Each case with what an engine made of its text."""

    positives: list[tuple[Positive, str]]
    negatives: list[tuple[Negative, str]]


@pytest.fixture(scope="module", params=[by_plugin, by_server], ids=["plugin", "server"])
def results(request: pytest.FixtureRequest) -> Results:
    with_secret, without = list(positives()), list(negatives())
    redacted = request.param([case.text for case in (*with_secret, *without)])
    size = len(with_secret)
    return Results(
        list(zip(with_secret, redacted[:size], strict=True)),
        list(zip(without, redacted[size:], strict=True)),
    )


@dataclass
class Tally:
    """What became of the secrets of one kind; `exact` where one marker stands in the place of the secret."""

    cases: int = 0
    found: int = 0
    exact: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, case: Positive, redacted: str) -> None:
        before, _, after = case.text.partition(case.value)
        instead = redacted.removeprefix(before).removesuffix(after)
        is_found = not any(piece in instead for piece in pieces(case.value))
        self.cases += 1
        self.found += is_found
        self.exact += MARKER.fullmatch(instead) is not None
        if not is_found:
            self.missed.append(f"{case.surrounding}: {case.text}")


def pieces(value: str) -> Iterator[str]:
    size = min(PIECE, len(value))
    return (value[start : start + size] for start in range(len(value) - size + 1))


def tallied(results: Results, *, set_aside: bool) -> dict[str, Tally]:
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for case, redacted in results.positives:
        if case.is_set_aside is set_aside:
            tallies[case.kind].add(case, redacted)
    return tallies


def total(tallies: Mapping[str, Tally]) -> Tally:
    values = tallies.values()
    return Tally(
        sum(tally.cases for tally in values),
        sum(tally.found for tally in values),
        sum(tally.exact for tally in values),
        [text for tally in values for text in tally.missed],
    )


def table(title: str, tallies: Mapping[str, Tally]) -> Iterator[str]:
    yield f"{title:<22} cases  recall   exact"
    for kind, tally in [*sorted(tallies.items()), ("all", total(tallies))]:
        recall, exact = tally.found / tally.cases, tally.exact / tally.cases
        yield f"  {kind:<20} {tally.cases:>5} {recall:>7.1%} {exact:>7.1%}"


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    cases = list(positives())
    assert len(KINDS) >= 40
    assert len(SET_ASIDE) == len(KINDS) // 4
    assert SET_ASIDE.isdisjoint(kind.name for kind in COMMON)
    assert len({case.value for case in cases}) >= 200
    assert len({case.surrounding for case in cases}) == 5
    assert len(list(negatives())) >= 500
    assert all(case.value in case.text for case in cases)


@pytest.mark.parametrize("set_aside", [False, True], ids=["known", "set-aside"])
def test_secrets_are_removed_and_what_is_around_them_is_not(
    results: Results, report: Report, set_aside: bool
) -> None:
    tallies = tallied(results, set_aside=set_aside)
    report("\n".join(table("set aside" if set_aside else "known", tallies)))
    whole = total(tallies)
    assert min(tally.found / tally.cases for tally in tallies.values()) >= 0.8, whole.missed
    assert whole.found / whole.cases >= 0.99, whole.missed
    assert whole.exact / whole.cases >= 0.99


def test_what_is_no_secret_stays(results: Results, report: Report) -> None:
    right = Counter(kind for _, redacted in results.positives for kind in MARKER.findall(redacted))
    wrong = Counter(
        kind
        for case, redacted in results.negatives
        for kind in (MARKER.findall(redacted) if redacted != case.text else ())
    )
    lines = [f"{'marker':<22} right   wrong  precision"]
    for kind in sorted(right | wrong):
        precision = right[kind] / (right[kind] + wrong[kind])
        lines.append(f"  {kind:<20} {right[kind]:>5} {wrong[kind]:>7} {precision:>10.1%}")
    report("\n".join(lines))
    touched = [case.text for case, redacted in results.negatives if redacted != case.text]
    assert len(touched) / len(results.negatives) <= 0.005, touched


def test_most_kinds_are_recognised_without_any_name(report: Report) -> None:
    """Less than next to a name: some providers' keys are digits and letters like any other."""
    made = [(kind, secret) for kind in KINDS for secret in secrets(kind)]
    redacted = by_server([f"It printed {secret.text} and stopped." for _, secret in made])
    missed = Counter(
        kind.name for (kind, secret), text in zip(made, redacted, strict=True) if secret.value in text
    )
    known = [kind.name for kind in KINDS if kind.name not in SET_ASIDE]
    for title, names in (("known", known), ("set aside", SET_ASIDE)):
        seen = 1 - sum(missed[name] for name in names) / sum(kind.name in names for kind, _ in made)
        report(f"alone, {title}: {seen:.1%}, not {', '.join(sorted(set(missed) & set(names)))}")
    assert sum(missed[name] for name in known) <= 0.25 * PER_KIND * len(known)


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_recorded_sessions_have_no_secret_and_stay_as_they_are(
    redact: Callable[[list[str]], list[str]],
) -> None:
    texts = sorted({text for name in NAMES for text in strings(document(name))})
    assert sum(map(len, texts)) > 1_000_000
    changed = [
        (text, redacted) for text, redacted in zip(texts, redact(texts), strict=True) if text != redacted
    ]
    assert changed == []


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def test_every_rule_finds_a_secret() -> None:
    cases = list(positives())
    scanners = [(rule, Scanner([rule])) for rule in RULES]
    assert [rule.name for rule, scanner in scanners if not any(finds(scanner, case) for case in cases)] == []


def finds(scanner: Scanner, case: Positive) -> bool:
    start = case.text.index(case.value)
    return any(
        finding.start < start + len(case.value) and finding.end > start for finding in scanner.find(case.text)
    )


@pytest.mark.server
def test_both_engines_agree_on_every_case() -> None:
    texts = [case.text for case in (*positives(), *negatives())]
    assert by_plugin(texts) == by_server(texts)
