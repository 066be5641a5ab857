"""Every case of the corpus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.redaction.innocents import KINDS as INNOCENT_KINDS
from tests.redaction.innocents import innocents
from tests.redaction.kinds import KINDS, PER_KIND, RARE, SET_ASIDE, secrets
from tests.redaction.situations import SITUATIONS, situated
from tests.redaction.surroundings import SURROUNDINGS

INNOCENTS_PER_KIND = 60
PER_SITUATION = 5 * PER_KIND


@dataclass(frozen=True)
class Positive:
    """`text` has a secret of `kind`, in the form `value`."""

    kind: str
    surrounding: str
    text: str
    value: str

    @property
    def is_set_aside(self) -> bool:
        return self.kind in SET_ASIDE


@dataclass(frozen=True)
class Negative:
    kind: str
    text: str


def positives() -> Iterator[Positive]:
    for kind in KINDS + RARE:
        random = Random(f"surroundings of {kind.name}")
        for secret in secrets(kind):
            for name, surround in SURROUNDINGS.items():
                text, value = surround(secret, random)
                yield Positive(kind.name, name, text, value)
    for situation, (surrounding, _) in SITUATIONS.items():
        for text, value in situated(situation, PER_SITUATION):
            yield Positive(situation, surrounding, text, value)


def negatives() -> Iterator[Negative]:
    for kind in INNOCENT_KINDS:
        for text in innocents(kind, INNOCENTS_PER_KIND):
            yield Negative(kind, text)
