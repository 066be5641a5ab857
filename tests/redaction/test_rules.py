"""Each rule of `rules.json` by its own examples, in both engines."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from app.redaction.rules import RULES
from app.redaction.scanner import Scanner
from tests.redaction.engines import by_plugin, by_server
from tests.redaction.examples import RULES_FILE, entries, examples, provider_examples

BY_NAME = {rule.name: Scanner([rule]) for rule in RULES}
MATCHING = list(examples())
OTHERS = list(examples("counterexamples"))


def test_every_rule_has_a_name_of_its_own_a_source_and_examples() -> None:
    assert len(BY_NAME) == len(RULES) == len(entries())
    sources = json.loads(RULES_FILE.read_text())["sources"]
    assert {entry["source"] for entry in entries()} == set(sources)
    for entry in entries():
        assert entry["examples"], entry["name"]
        assert entry["counterexamples"], entry["name"]


def test_every_rule_finds_its_examples() -> None:
    missed = [
        (example.rule, example.text)
        for example in MATCHING
        if example.kind not in {finding.kind for finding in BY_NAME[example.rule].find(example.text)}
    ]
    assert missed == []


def test_both_engines_remove_the_examples_and_agree() -> None:
    redacted = by_server([example.text for example in MATCHING])
    assert redacted == by_plugin([example.text for example in MATCHING])
    left = [
        (example.rule, text)
        for example, text in zip(MATCHING, redacted, strict=True)
        if any(value in text for value in example.values)
    ]
    assert left == []


def test_a_key_is_found_behind_the_name_of_each_provider() -> None:
    providers = list(provider_examples())
    redacted = by_server([example.text for example in providers])
    assert redacted == by_plugin([example.text for example in providers])
    both = zip(providers, redacted, strict=True)
    left = [example.text for example, text in both if example.values[0] in text]
    assert left == []


@pytest.mark.parametrize("redact", [by_plugin, by_server], ids=["plugin", "server"])
def test_what_looks_like_a_format_and_is_none_stays(
    redact: Callable[[list[str]], list[str]],
) -> None:
    texts = [example.text for example in OTHERS]
    changed = [
        (example.rule, example.text, text)
        for example, text in zip(OTHERS, redact(texts), strict=True)
        if example.text != text
    ]
    assert changed == []
