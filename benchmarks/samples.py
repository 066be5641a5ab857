"""What sessions are written of: prose, code in ten languages and the output of commands."""

from __future__ import annotations

import random
import string

from benchmarks.code import CODE, LANGUAGES

WORDS = """
order invoice parcel ledger session tenant cursor window bucket reader writer worker queue token
digest packet signal branch commit ticket voucher shelf pallet courier depot customer refund coupon
basket route
"""
NAMES = tuple(WORDS.split())
FIELDS = (
    "amount",
    "status",
    "weight",
    "origin",
    "total",
    "offset",
    "version",
    "checksum",
    "priority",
    "region",
    "owner",
    "limit",
)
SENTENCES = (
    "The failing case is the one where a thing arrives twice within the same second",
    "I read the callers of `thing_field` first, and none of them expects it to be empty",
    "That makes the field of a thing the only thing that both sides have to agree on",
    "There are two ways to do this: keep the old field and translate, or migrate in one go",
    "With 42 of them open at once the lock is held for longer than the timeout allows",
    "I would rather fail early here than return a thing whose field nobody checked",
    "The tests pass again, and the slowest of them takes 42 ms",
    "Note that **the field is optional** in the old format, so it may be missing for things made before",
    "See `src/thing/field.py` for the reason; the comment above it has been wrong for a while",
    "Next I will look at how the thing is serialised, because the field seems to change on the way",
)

OUTPUT = (
    "tests/test_thing.py::test_field_is_kept[42] \x1b[32mPASSED\x1b[0m",
    "tests/test_thing.py::test_thing_without_field \x1b[31mFAILED\x1b[0m",
    "2026-03-14T09:26:42Z INFO  thing.store: stored field=42 in 42 ms",
    "2026-03-14T09:26:42Z WARN  thing.store: retry 42, field is not there yet",
    '  File "/home/dev/shop/src/thing.py", line 42, in field',
    "warning: unused variable: `field` --> src/thing.rs:42:9",
    "   Compiling thing v0.42.0 (/home/dev/shop/crates/thing)",
    "drwxr-xr-x  2 dev dev   4042 Mar 14 09:26 thing_field",
)


def varied(rng: random.Random, text: str) -> str:
    """The text about another thing than before."""
    name, number = rng.choice(NAMES), str(rng.randrange(2, 9999))
    text = text.replace("thing", name).replace("Thing", name.title()).replace("42", number)
    field = rng.choice(FIELDS)
    return text.replace("field", field).replace("Field", field.title()).replace("FIELD", field.upper())


class Samples:
    """Draws texts; from pools large enough that compression finds no more in them than in real ones."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._sentences = [varied(rng, rng.choice(SENTENCES)) + "." for _ in range(4000)]
        self._output = [self._line() for _ in range(8000)]

    def _line(self) -> str:
        mark = "".join(self._rng.choices(string.hexdigits[:16], k=8))
        return f"{varied(self._rng, self._rng.choice(OUTPUT))} {mark}"

    def name(self) -> str:
        return f"{self._rng.choice(NAMES)}_{self._rng.choice(FIELDS)}"

    def prose(self, sentences: int) -> str:
        return " ".join(self._rng.choices(self._sentences, k=sentences))

    def code(self, language: str, pieces: int = 1) -> str:
        return "\n\n".join(varied(self._rng, CODE[language]) for _ in range(pieces))

    def output(self, lines: int) -> str:
        return "\n".join(self._rng.choices(self._output, k=lines)) + "\n"

    def markdown(self) -> str:
        """An answer: prose, and by turns a list, a table or a fenced piece of code."""
        rng = self._rng
        language = rng.choice(LANGUAGES)
        pieces = [
            f"## About `{self.name()}`",
            self.prose(rng.randint(2, 5)),
            "\n".join(f"{number}. {self.prose(1)}" for number in range(1, rng.randint(3, 5))),
            f"```{language}\n{self.code(language)}```",
            f"| field | before | after |\n|---|--:|--:|\n| `{self.name()}` | {rng.random():.3f} | 42 |",
            "\n".join(f"- **{self.name()}**: {self.prose(1)}" for _ in range(3)),
        ]
        kept = sorted(rng.sample(range(len(pieces)), rng.randint(2, 4)))
        return "\n\n".join([self.prose(1), *(pieces[index] for index in kept)])
