"""Random mixtures of formats, wrappers, encodings and places, for what both engines must do alike."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Sequence
from random import Random
from urllib.parse import quote

from tests.redaction.attacks import ASSIGNED, NAMES
from tests.redaction.examples import examples
from tests.redaction.innocents import KINDS, innocents

# Both sides of where the plugin divides a long text.
CHUNK = 100_000
SIGNS = "\"'`\\/=:;,.|&<>(){}[]$@#%!?*+~^ \t\r\n\0\u00e9\u0130\u2028\U0001f511\ud800-_A9"

Wrap = Callable[[str, Random], str]


def _wrapped_at(text: str, random: Random) -> str:
    width = random.choice((20, 40, 64, 76))
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))


def _logged(text: str, random: Random) -> str:
    prefix = random.choice(("web-1  | ", "2026-06-03T10:00:00.12Z ", "#9 0.245 ", "    ", "> ", "+"))
    return "\n".join(prefix + line for line in text.split("\n"))


def _coloured(text: str, random: Random) -> str:
    place = random.randrange(len(text) + 1)
    return f"{text[:place]}\x1b[1;3{random.randrange(8)}m{text[place:]}\x1b[0m"


def _cut(text: str, random: Random) -> str:
    return (
        text[random.randrange(len(text) + 1) :] if random.random() < 0.5 else text[: -random.randrange(1, 9)]
    )


def _spoilt(text: str, random: Random) -> str:
    place = random.randrange(len(text) + 1)
    return text[:place] + random.choice(SIGNS) + text[place:]


WRAPS: Sequence[Wrap] = (
    lambda text, random: text,
    lambda text, random: f"{random.choice(NAMES)}{random.choice(ASSIGNED)}{text}",
    lambda text, random: json.dumps({random.choice(NAMES): text}, ensure_ascii=random.random() < 0.5),
    lambda text, random: json.dumps(json.dumps(text)),
    lambda text, random: quote(text, safe="/", errors="replace"),
    lambda text, random: html.escape(text),
    lambda text, random: base64.b64encode(text.encode(errors="replace")).decode(),
    lambda text, random: f"https://ada:{text}@example.org/x?key={text}",
    lambda text, random: f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----",
    _wrapped_at,
    _logged,
    _coloured,
    _cut,
    _spoilt,
)


def mixtures(seed: int, count: int) -> list[str]:
    """Return `count` texts, each of several pieces; some reach over the end of a chunk."""
    random = Random(seed)
    pieces = [example.text for example in (*examples(), *examples("counterexamples"))]
    pieces += [text for kind in KINDS for text in innocents(kind, 5)]
    return [_mixture(random, pieces) for _ in range(count)]


def _mixture(random: Random, pieces: Sequence[str]) -> str:
    texts = [_wrapped(random.choice(pieces), random) for _ in range(random.randrange(1, 6))]
    text = random.choice(("\n", " ", "", ", ", "\\n", "\r\n")).join(texts)
    if random.random() < 0.02:
        return "x " * ((CHUNK - random.randrange(len(text) + 2)) // 2) + text
    return text


def _wrapped(text: str, random: Random) -> str:
    for _ in range(random.randrange(3)):
        text = random.choice(WRAPS)(text, random)
    return text
