"""The examples of `rules.json`.

In them `[0-9a-f]{40}` stands for so many random characters of a class, and `<check>` for the check digits of
what it stands for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from app.redaction.check_digits import check_digits
from tests.support.paths import ROOT

RULES_FILE = ROOT / "app" / "redaction" / "rules.json"
PER_EXAMPLE = 4

_CLASS = re.compile(r"\[([^\]]+)\]\{([0-9]+)\}")
_RANGE = re.compile(r"(.)-(.)")


@dataclass(frozen=True)
class Example:
    """A text for a rule; `values` are the random parts of it."""

    rule: str
    kind: str
    text: str
    values: Sequence[str]


def entries() -> list[Mapping[str, Any]]:
    """The formats and rules as they stand in the file."""
    data = json.loads(RULES_FILE.read_text())
    return [*data["formats"], *data["rules"]]


def provider_examples() -> Iterator[Example]:
    """Write a key behind each name of a provider whose keys have only a length."""
    for entry in json.loads(RULES_FILE.read_text())["unprefixed"]:
        length = entry["length"] if isinstance(entry["length"], int) else entry["length"][0]
        for name in entry["names"]:
            template = f"const my{name}Key = '[a-z0-9]{{{length}}}'"
            yield written({"name": name, "kind": "api-key"}, template, Random(name))


def examples(field: str = "examples") -> Iterator[Example]:
    """Write each example, or each of `counterexamples`, out a few times, always in the same way."""
    for entry in entries():
        random = Random(entry["name"])
        for template in entry.get(field, []):
            for _ in range(PER_EXAMPLE):
                yield written(entry, template, random)


def written(entry: Mapping[str, Any], template: str, random: Random) -> Example:
    values: list[str] = []

    def run(match: re.Match[str]) -> str:
        values.append("".join(random.choices(letters(match[1]), k=int(match[2]))))
        return values[-1]

    text = _CLASS.sub(run, template)
    if "<check>" in text:
        text = text.replace("<check>", check_digits(values[-1]))
    return Example(entry["name"], entry["kind"], text, values)


def letters(alphabet: str) -> str:
    """The characters of the inside of a character class."""
    return _RANGE.sub(lambda ends: "".join(map(chr, range(ord(ends[1]), ord(ends[2]) + 1))), alphabet)
