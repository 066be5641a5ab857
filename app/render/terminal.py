"""Renders terminal output as lines of HTML: colours become CSS classes, overwritten text disappears.

Control sequences are those of ECMA-48 as xterm interprets them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, islice, repeat
from typing import NamedTuple

from markupsafe import Markup, escape

from app.render.filters import visible
from app.render.themes.terminal_palette import nearest

# Parameters of one sequence that are read.
MAX_PARAMETERS = 64
# A span is ten times as long as the sequence that asks for it; after these, text stays plain.
MAX_SPANS = 20_000

# The text up to the next control character, or one control character with the sequence it begins. Every
# alternative matches without backtracking, so the time is linear.
TOKEN = re.compile(
    r"(?P<text>[^\x00-\x08\n-\x1f\x7f]++)"
    r"|(?P<move>[\n\r\b])"
    r"|(?P<csi>\x1b\[(?P<parameters>[0-?]*+)(?P<intermediate>[ -/]*+)(?P<final>[@-~]?))"
    r"|(?P<string>\x1b[\]PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\)?)"
    r"|(?P<escape>\x1b(?:[()*+\-./#%&][0-~]?|[78=>cDEHM\\]|(?=\x1b)|\Z))"
    r"|(?P<other>[\x00-\x1f\x7f])"
)


class Style(NamedTuple):
    """How the next characters look."""

    foreground: int | None = None
    background: int | None = None
    inverse: bool = False
    traits: frozenset[str] = frozenset()


PLAIN = Style()
TRAITS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike", 21: "underline"}
TRAITS_OFF = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 29: {"strike"}}


def terminal(text: str) -> list[Markup]:
    """`text` as a terminal would show it, as HTML for each line."""
    if not any(control in text for control in "\x1b\r\b"):
        return [escape(line) for line in visible(text).split("\n")]
    lines = [_Line()]
    style = PLAIN
    for token in TOKEN.finditer(text):
        line, kind, value = lines[-1], token.lastgroup, token.group()
        if kind == "text":
            line.write(value, _classes(style))
        elif value == "\n":
            lines.append(_Line())
        elif kind == "move":
            line.move_to(0 if value == "\r" else line.column - 1)
        elif kind == "other":
            line.write(visible(value), _classes(style))
        elif token["final"] == "m" and not token["intermediate"]:
            style = _styled(style, token["parameters"])
        elif token["final"] in ("K", "G"):
            line.apply(token["final"], token["parameters"])
    spans = iter(range(MAX_SPANS, 0, -1))
    return [line.html(spans) for line in lines]


class _Line:
    """The characters of a line, the classes of each, and the column of the cursor."""

    __slots__ = ("characters", "classes", "column")

    def __init__(self) -> None:
        self.characters: list[str] = []
        self.classes: list[str] = []
        self.column = 0

    def write(self, text: str, classes: str) -> None:
        end = self.column + len(text)
        self.characters[self.column : end] = text
        self.classes[self.column : end] = repeat(classes, len(text))
        self.column = end

    def move_to(self, column: int) -> None:
        self.column = min(max(column, 0), len(self.characters))

    def apply(self, final: str, parameters: str) -> None:
        """Erases in the line (EL, final byte K) or moves in it (CHA, final byte G), as progress bars do."""
        if final == "G":
            self.move_to((_number(parameters) or 1) - 1)
        elif parameters in ("", "0", "2"):
            # After the whole line is erased, text continues at its left end, not behind a gap.
            self.move_to(0 if parameters == "2" else self.column)
            del self.characters[self.column :]
            del self.classes[self.column :]

    def html(self, spans: Iterator[int]) -> Markup:
        """The line with a span for each run of one style, as long as there are `spans` left."""
        pieces: list[str] = []
        start = 0
        for classes, run in groupby(self.classes):
            end = start + len(list(run))
            text = str(escape("".join(self.characters[start:end])))
            is_marked = classes and next(spans, 0)
            pieces.append(f'<span class="{classes}">{text}</span>' if is_marked else text)
            start = end
        # Every text above is escaped; the classes are words of this module and numbers.
        return Markup("".join(pieces))  # noqa: S704


@lru_cache(maxsize=1024)
def _classes(style: Style) -> str:
    """The CSS classes of a style."""
    names = [f"t-{trait}" for trait in sorted(style.traits)]
    colours: dict[str, int | str | None] = {"fg": style.foreground, "bg": style.background}
    if style.inverse:
        colours = {"fg": style.background, "bg": "ink" if style.foreground is None else style.foreground}
    names += [f"t-{side}-{colour}" for side, colour in colours.items() if colour is not None]
    return " ".join(names)


def _styled(style: Style, parameters: str) -> Style:
    """`style` after the parameters of a "select graphic rendition" (SGR) sequence."""
    if parameters[:1] in ("<", "=", ">", "?"):
        return style
    codes = iter(parameters.split(";", MAX_PARAMETERS)[:MAX_PARAMETERS])
    for word in codes:
        code, *details = (_number(number) for number in word.split(":", 6)[:6])
        if code in (38, 48, 58):
            number = _colour(details or [_number(number) for number in _arguments(codes)])
            if number is not None:
                style = _coloured(style, code, number)
        else:
            style = _with_code(style, 24 if code == 4 and details == [0] else code)
    return style


def _with_code(style: Style, code: int) -> Style:
    """`style` after one SGR code that takes no arguments."""
    if code == 0:
        return PLAIN
    if code in TRAITS:
        return style._replace(traits=style.traits | {TRAITS[code]})
    if code in TRAITS_OFF:
        return style._replace(traits=style.traits - TRAITS_OFF[code])
    if code in (7, 27):
        return style._replace(inverse=code == 7)
    if code in (39, 49):
        return _coloured(style, code, None)
    if 30 <= code <= 47 and code % 10 < 8:
        return _coloured(style, code, code % 10)
    if 90 <= code <= 107 and code % 10 < 8:
        return _coloured(style, code - 60, code % 10 + 8)
    return style


def _coloured(style: Style, code: int, number: int | None) -> Style:
    """`style` with a colour for the foreground or the background, by the tens of `code`."""
    if 30 <= code < 40:
        return style._replace(foreground=number)
    if 40 <= code < 50:
        return style._replace(background=number)
    return style


def _arguments(codes: Iterator[str]) -> list[str]:
    """The arguments of 38 or 48 when they are separated by semicolons."""
    kind = next(codes, "")
    return [kind, *islice(codes, {"5": 1, "2": 3}.get(kind, 0))]


def _colour(details: list[int]) -> int | None:
    """The colour of `5, number` or `2, red, green, blue`; the latter may have a colour space before red."""
    kind, *levels = details
    levels = levels[-3:]
    if not all(0 <= level < 256 for level in levels):
        return None
    if kind == 5 and len(levels) == 1:
        return levels[0]
    if kind == 2 and len(levels) == 3:
        return nearest(levels[0], levels[1], levels[2])
    return None


def _number(parameter: str) -> int:
    """A parameter as a number: 0 if it is empty, -1 if it is no number."""
    return int(parameter or 0) if len(parameter) < 5 and (parameter or "0").isdecimal() else -1
