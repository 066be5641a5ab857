"""Units that, repeated, cost a scanner the most: what a rule begins with, nearly matches or reads in vain."""

from __future__ import annotations

from collections.abc import Iterator

from tests.redaction.examples import PER_EXAMPLE, entries, examples, provider_examples

NAMES = ("password", "api_key", "token", "db_secret", "--password", "MY_TOKEN", "key", "secret.key")
ASSIGNED = (
    "=",
    ": ",
    " = '",
    '": "',
    '=\\"',
    " => ",
    ": |\n  ",
    "[0]=",
    "?: string = ",
    '("',
    "  ",
    " | ",
    ",",
)
VALUES = ("a" * 600, "a" * 7, "Aa1" * 200, "a,b=" * 100, "&amp;" * 60, "..." * 100, "/" * 300, "\\/" * 100)
LENGTHS = (20, 300, 3_000)


def attacks() -> Iterator[tuple[str, str]]:
    """Yield the name of each attack and its unit."""
    for entry in entries():
        anchors = (*entry.get("prefix", ()), *entry.get("anchors", ()))
        letter = entry.get("alphabet", "a")[0]
        for anchor in anchors:
            yield f"{entry['name']}: {anchor}", anchor
            for context in entry.get("after", ())[:2]:
                yield f"{entry['name']}: {context} {anchor}", f"{context} {anchor}"
        for length in LENGTHS:
            for anchor in anchors[:2]:
                yield f"{entry['name']}: {anchor} and {length} letters", anchor + letter * length
    for example in list(examples())[::PER_EXAMPLE]:
        yield f"{example.rule}: all of an example", f"{example.text} "
        yield f"{example.rule}: nearly all of an example", f"{example.text[:-1]}~"
        yield f"{example.rule}: an example in one piece", example.text
    for example in provider_examples():
        yield f"key behind {example.rule}: the name", example.rule
        yield f"key behind {example.rule}: nearly all of an example", f"{example.text[:-2]}~"
        yield f"key behind {example.rule}: all of an example", example.text
    for name in NAMES:
        for assigned in ASSIGNED:
            yield f"{name}{assigned}", name + assigned
            for value in VALUES:
                yield f"{name}{assigned}{value[:8]}...", name + assigned + value
                yield f"{name}{assigned}{value[:8]}... and a space", f"{name}{assigned}{value} "
