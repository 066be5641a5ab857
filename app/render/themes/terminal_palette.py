"""The 256 colours of terminals, and the stylesheet that makes them readable on light and dark paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from app.render.themes.colours import BLACK, READABLE, WHITE, channels, colour, contrast, mix

LEVELS = (0, 95, 135, 175, 215, 255)
CUBE = range(16, 232)
GREYS = range(232, 256)

# The first 16, in the order of terminals: black, red, green, yellow, blue, magenta, cyan, white, then bright.
LIGHT_16 = (
    "#24292f", "#b3202a", "#116329", "#7d4e00", "#0550ae", "#8229b8", "#0b5f73", "#57606a",
    "#4b535d", "#c4122f", "#17701f", "#855800", "#1259c3", "#9a2bb5", "#086578", "#3b424a",
)  # fmt: skip
DARK_16 = (
    "#8f99a6", "#ff7b72", "#56d364", "#e3b341", "#79b8ff", "#d2a8ff", "#56d4dd", "#c9d1d9",
    "#a4aeba", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#8ae9f0", "#f5f7fa",
)  # fmt: skip
# The least contrasting papers on which terminal text stands in any theme.
LIGHT_PAPER = "#e9e3cf"
DARK_PAPER = "#484848"

TRAITS = """\
/* What terminals do to text. Generated: see app/render/themes/terminal_palette.py. */
.t-bold{font-weight:700}
.t-dim{color:var(--quiet)}
.t-italic{font-style:italic}
.t-underline{text-decoration:underline}
.t-strike{text-decoration:line-through}
.t-underline.t-strike{text-decoration:underline line-through}
"""


def palette(number: int) -> str:
    """One of the colours 16 to 255: a cube of 6 levels a side, then 24 greys."""
    if number in GREYS:
        level = 8 + 10 * (number - GREYS.start)
        return colour(level, level, level)
    place = number - CUBE.start
    return colour(LEVELS[place // 36], LEVELS[place // 6 % 6], LEVELS[place % 6])


@cache
def _level(channel: int) -> int:
    return min(range(6), key=lambda place: abs(LEVELS[place] - channel))


def nearest(red: int, green: int, blue: int) -> int:
    """The number, 16 to 255, of the colour nearest to this one."""
    in_cube = CUBE.start + 36 * _level(red) + 6 * _level(green) + _level(blue)
    grey = min(max((red + green + blue - 9) // 30, 0), len(GREYS) - 1) + GREYS.start
    return min(in_cube, grey, key=lambda number: _distance(number, (red, green, blue)))


def _distance(number: int, wanted: tuple[int, int, int]) -> int:
    return sum((a - b) ** 2 for a, b in zip(channels(palette(number)), wanted, strict=True))


def properties(colours: Sequence[str]) -> str:
    """The first 16 colours as custom properties, which a theme may set again."""
    return ";".join(f"--t-{number}:{value}" for number, value in enumerate(colours))


def stylesheet() -> str:
    """All classes of `terminal`: the first 16 colours by custom properties, the others fixed.

    A background brings its own text colour, since programs choose the two for paper we do not have. The
    defaults weigh nothing (`:where`), so that a theme wins wherever it stands.
    """
    return "".join(
        [
            TRAITS,
            f":where(:root){{color-scheme:light dark;{properties(LIGHT_16)}}}\n",
            f"@media (prefers-color-scheme:dark){{:where(:root){{{properties(DARK_16)}}}}}\n",
            *(f".t-fg-{number}{{color:var(--t-{number})}}\n" for number in range(16)),
            *_rules("fg", {number: _foreground(number) for number in range(16, 256)}),
            *(
                f".t-bg-{number}{{background:var(--t-{number});color:var(--raised)}}\n"
                for number in range(16)
            ),
            *_rules("bg", {number: _background(number) for number in range(16, 256)}),
            ".t-bg-ink{background:var(--ink);color:var(--paper)}\n",
        ]
    )


def _foreground(number: int) -> str:
    light = _readable(palette(number), LIGHT_PAPER, BLACK)
    dark = _readable(palette(number), DARK_PAPER, WHITE)
    return f"color:light-dark({light},{dark})"


def _readable(value: str, paper: str, far: str) -> str:
    """As `colours.readable`, of the short colours."""
    moved = (_short(mix(value, far, step / 16)) for step in range(17))
    return next(short for short in moved if contrast(short, paper) >= READABLE)


def _background(number: int) -> str:
    paper = _short(palette(number))
    text = max("#000", "#fff", key=lambda ink: contrast(ink, paper))
    return f"background:{paper};color:{text}"


def _short(value: str) -> str:
    """The nearest `#rgb`: half the bytes, and no eye sees it."""
    return "#" + "".join(f"{round(channel / 17):x}" for channel in channels(value))


def _rules(side: str, declarations: dict[int, str]) -> list[str]:
    """One rule for each declaration, with all the numbers that share it."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, declaration in declarations.items():
        numbers[declaration].append(number)
    return [
        ",".join(f".t-{side}-{number}" for number in same) + f"{{{declaration}}}\n"
        for declaration, same in numbers.items()
    ]
