"""Colour arithmetic: mixing, and adjusting text until it is readable (contrast ratio of WCAG 2)."""

from __future__ import annotations

from collections.abc import Sequence
from colorsys import hls_to_rgb, rgb_to_hls
from functools import cache

READABLE = 4.5
STEPS = 64

BLACK = "#000000"
WHITE = "#ffffff"


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of `#rgb` or `#rrggbb`, each from 0 to 255."""
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def colour(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


def mix(one: str, other: str, share: float) -> str:
    """`one` mixed with `share` (0 to 1) of `other`."""
    red, green, blue = (
        round(a + (b - a) * share) for a, b in zip(channels(one), channels(other), strict=True)
    )
    return colour(red, green, blue)


@cache
def luminance(colour: str) -> float:
    """Relative luminance, from 0 (black) to 1 (white)."""
    red, green, blue = (_linear(channel / 255) for channel in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, from 1 (equal) to 21 (black on white)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def is_dark(paper: str) -> bool:
    """Whether white has more contrast to it than black."""
    return contrast(paper, WHITE) > contrast(paper, BLACK)


def readable(text: str, papers: Sequence[str]) -> str:
    """`text` moved towards black or white, keeping its hue, until it is readable on all `papers`."""
    far = WHITE if is_dark(papers[0]) else BLACK
    for step in range(STEPS + 1):
        moved = mix(text, far, step / STEPS)
        if all(contrast(moved, paper) >= READABLE for paper in papers):
            return moved
    return far


def has_hue(colour: str, first: int, last: int) -> bool:
    """Whether a colour is not grey and its hue in degrees is between these two, counting up from `first`."""
    hue, saturation = _hue(colour)
    return saturation > 0.2 and (hue - first) % 360 <= (last - first) % 360


def is_greyish(colour: str) -> bool:
    return _hue(colour)[1] <= 0.3


def vivid(value: str) -> str:
    """The same hue at medium lightness and moderate saturation."""
    hue, saturation = _hue(value)
    red, green, blue = hls_to_rgb(hue / 360, 0.5, min(max(saturation, 0.55), 0.75))
    return colour(round(red * 255), round(green * 255), round(blue * 255))


def _hue(colour: str) -> tuple[float, float]:
    """Hue in degrees, and saturation from 0 (grey) to 1."""
    red, green, blue = (channel / 255 for channel in channels(colour))
    hue, _lightness, saturation = rgb_to_hls(red, green, blue)
    return hue * 360, saturation


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
