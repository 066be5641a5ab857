"""That the work grows with the text and no faster: counted, for everything that a rule begins to read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from app.redaction.rules import RULES
from app.redaction.scanner import Scanner
from tests.redaction.attacks import attacks

SIZE = 4_000
# A class of characters, and a quantifier without an upper limit with what it repeats.
CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\.")
UNLIMITED = re.compile(r"(.)(?:(?<!\()[*+]|\{[0-9]+,\})")


@dataclass
class Counting:
    """A pattern that counts the characters which its matches are tried at, and those that they take."""

    pattern: re.Pattern[str]
    read: int = 0

    def match(self, text: str, start: int) -> re.Match[str] | None:
        found = self.pattern.match(text, start)
        self.read += 1 + (found.end() - start if found else 0)
        return found

    def finditer(self, text: str) -> list[re.Match[str]]:
        return list(self.pattern.finditer(text))


def read_by_rules(text: str) -> int:
    counting = [Counting(rule.pattern) for rule in RULES]
    rules = [
        replace(rule, pattern=counted)  # type: ignore[arg-type]
        for rule, counted in zip(RULES, counting, strict=True)
    ]
    Scanner(rules).find(text)
    return sum(pattern.read for pattern in counting)


def test_no_group_is_repeated_without_a_limit() -> None:
    for rule in RULES:
        plain = CLASS.sub("c", rule.pattern.pattern)
        assert ")" not in {match[1] for match in UNLIMITED.finditer(plain)}, rule.name
    assert {match[1] for match in UNLIMITED.finditer("(?:ab)+c{2,}(d{1,2}){3,}")} == {")", "c"}


def test_twice_the_text_is_at_most_twice_the_work() -> None:
    slow = []
    for name, unit in list(attacks())[::3]:
        once = unit * (SIZE // len(unit) + 1)
        single, double = (read_by_rules(text) for text in (once, once + once))
        if double > 2.2 * single + SIZE:
            slow.append((name, single, double))
    assert slow == []
