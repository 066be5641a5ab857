"""Finds the long words of a text: where keys without a known beginning and encoded texts are looked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

# Shorter words are no keys.
MIN_LENGTH = 20

_WORD = re.compile(f"[A-Za-z0-9+/_-]{{{MIN_LENGTH},}}")


class Word(NamedTuple):
    """A run of letters, digits and `+/_-` at `text[start:end]`, which does not go on at either side."""

    start: int
    end: int


def long_words(text: str) -> Sequence[Word]:
    """Return the words of at least `MIN_LENGTH` characters, in order."""
    return [Word(*match.span()) for match in _WORD.finditer(text)]
