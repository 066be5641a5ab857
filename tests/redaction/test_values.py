"""What is skipped on the way from a name to its value."""

from __future__ import annotations

from random import Random

import pytest

from app.redaction.heuristics import CHECKS
from app.redaction.values import before_values, next_value

# The checks of values that only a name gives away.
BY_NAME = ("password", "random", "strong", "key", "alphanumeric", "scrambled")
LETTERS = "aaabcdefgXYZ09_./-:?|&;,=<>(){}[]\\!"


def test_words_in_small_letters_signs_and_short_words_are_skipped() -> None:
    text = "password: correct-horse.battery, SECRET (see `docs/keys.md`): Ab1 hunter2x"
    assert text[next_value(text, 0) :] == "hunter2x"


@pytest.mark.parametrize("surround", [" {} ", "key: '{}'", 'key="{}"', "key={}\n", " {}). "])
def test_no_value_is_skipped_that_a_name_would_make_a_secret(surround: str) -> None:
    random = Random(surround)
    values = {"".join(random.choices(LETTERS, k=random.randrange(8, 24))) for _ in range(20_000)}
    # No pattern takes a bracket or a point at the end of a value.
    values = {value for value in values if value[-1] not in "<>(){}[]\\,;&.:?|"}
    skipped = [
        value
        for value in values
        if any(CHECKS[check](value) for check in BY_NAME)
        and next_value(surround.format(value), 0) > surround.index("{")
    ]
    assert skipped == []


def test_only_offsets_near_a_value_are_left() -> None:
    text = "key " * 100 + "key: Zm9vYmFyMTIz"
    offsets = range(0, len(text), 4)
    assert list(before_values(text, offsets, 40)) == [offset for offset in offsets if offset >= 405 - 40]
