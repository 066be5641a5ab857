"""Draws text in any script with Pillow: font fallback per character, line breaking, right-to-left."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO

from PIL import ImageFont, features
from PIL.ImageDraw import ImageDraw
from PIL.ImageFont import FreeTypeFont, Layout

# Packaged fonts: Latin, Greek and Cyrillic, then Arabic. Other scripts use a system font, if one is
# installed.
PACKAGES = (
    ("fontpkg_inter", "Inter[opsz,wght].ttf"),
    ("fontpkg_noto_sans_arabic", "NotoSansArabic[wdth,wght].ttf"),
)
SYSTEM_FONTS = (
    "NotoSansCJK-Bold.ttc",
    "NotoSansCJK-Regular.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-microhei.ttc",
    "DejaVuSans-Bold.ttf",
)
STRONG, RIGHT_TO_LEFT = ("L", "R", "AL"), ("R", "AL")
# Bidirectional classes that belong to the run before them; neutral ones take the direction of the line.
BOUND = (*STRONG, "EN", "AN", "NSM", "BN")
# Right-to-left scripts need Raqm with FriBiDi, a system library: without, their letters are left out.
CAN_SHAPE = bool(features.check("raqm") and features.check("fribidi"))
PROBE_SIZE = 16
ABSENT = "\U0010fffe"
ZERO_WIDTH_NON_JOINER = "\u200c"


def drawable(text: str) -> str:
    """Return `text` on one line, without characters that no installed font has."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in whole)
    composed = unicodedata.normalize("NFC", spaced)
    return " ".join("".join(char for char in composed if _font_of(char) is not None).split())


def is_right_to_left(text: str) -> bool:
    directions = (unicodedata.bidirectional(char) for char in text)
    return next((direction for direction in directions if direction in STRONG), "L") in RIGHT_TO_LEFT


@dataclass(frozen=True)
class TextStyle:
    """A font size in pixels and a weight (400 is regular)."""

    size: int
    weight: int

    def width(self, text: str) -> float:
        return sum(_font(number, self.size, self.weight).getlength(run) for run, number in _runs(text))

    def write(self, draw: ImageDraw, text: str, edge: float, baseline: float, ink: str, rtl: bool) -> None:
        """Draw one line that starts at x = `edge`, which is its left end, or its right end if `rtl`."""
        runs = list(_runs(text))
        direction, left = None, edge
        if rtl:
            direction, left = "rtl", edge - self.width(text)
            runs.reverse()
        for run, number in runs:
            font = _font(number, self.size, self.weight)
            is_neutral = all(unicodedata.bidirectional(char) not in BOUND for char in run)
            own = direction if is_neutral else None
            draw.text((left, baseline), run, ink, font, anchor="ls", direction=own)
            left += font.getlength(run, direction=own)

    def wrapped(self, text: str, width: float) -> list[str]:
        """Break `text` into lines of at most `width` pixels, between words where possible."""
        lines = [""]
        for word in _words(text):
            if self.width((lines[-1] + word).rstrip()) <= width:
                lines[-1] += word
                continue
            lines.append(word)
            while self.width(lines[-1].rstrip()) > width and len(lines[-1]) > 1:
                head = self._head(lines[-1], width)
                lines[-1:] = [head, lines[-1][len(head) :]]
        return [line.strip() for line in lines if line.strip()]

    def cut(self, text: str, width: float) -> str:
        """Return `text`, shortened with an ellipsis if it is wider than `width` pixels."""
        if self.width(text) <= width:
            return text
        return self._head(text, width - self.width("…")).rstrip(" ,.;:·") + "…"

    def _head(self, text: str, width: float) -> str:
        """Return the longest prefix that fits, at least one character."""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.width(text[:middle]) <= width else (low, middle - 1)
        return text[:low]


def _words(text: str) -> Iterator[str]:
    """Split where a line may break: after the space that follows a word, and around ideographs."""
    start = 0
    for place in range(1, len(text)):
        before, after = text[place - 1], text[place]
        is_ideograph = "W" in (unicodedata.east_asian_width(before), unicodedata.east_asian_width(after))
        # Closing marks and small kana stay with what they follow.
        is_bound = unicodedata.category(after) in ("Pe", "Pf", "Po", "Lm", "Mn", "Zs")
        if before == " " or (is_ideograph and not is_bound):
            yield text[start:place]
            start = place
    yield text[start:]


def _runs(text: str) -> Iterator[tuple[str, int]]:
    """Split into runs of one font, with its number; trailing neutral characters are runs of their own."""
    for run, number in _same_font(text):
        end = len(run)
        while end and unicodedata.bidirectional(run[end - 1]) not in BOUND:
            end -= 1
        yield from ((piece, number) for piece in (run[:end], run[end:]) if piece)


def _same_font(text: str) -> Iterator[tuple[str, int]]:
    run, current = "", 0
    for char in text:
        stays = unicodedata.bidirectional(char) not in STRONG and _has(current, char)
        number = current if run and stays else _font_of(char) or 0
        if run and number != current:
            yield run, current
            run = ""
        run, current = run + char, number
    if run:
        yield run, current


@lru_cache(maxsize=4096)
def _font_of(char: str) -> int | None:
    """The number of the first font that has the character, or None."""
    if unicodedata.category(char).startswith("C") and char != ZERO_WIDTH_NON_JOINER:
        return None
    if unicodedata.bidirectional(char) in RIGHT_TO_LEFT and not CAN_SHAPE:
        return None
    return next((number for number in range(len(_sources())) if _has(number, char)), None)


@lru_cache(maxsize=4096)
def _has(number: int, char: str) -> bool:
    """Return whether a font has the character: for a missing one, fonts draw the same as for U+10FFFE."""
    return char.isspace() or _drawn(number, char) != _drawn(number, ABSENT)


@lru_cache(maxsize=4096)
def _drawn(number: int, char: str) -> tuple[tuple[int, int], bytes, float]:
    probe = _open(number, PROBE_SIZE, Layout.BASIC)
    mask = probe.getmask(char, "L")
    return mask.size, bytes(mask), probe.getlength(char)


@cache
def _font(number: int, size: int, weight: int) -> FreeTypeFont:
    font = _open(number, size, Layout.RAQM if CAN_SHAPE else Layout.BASIC)
    try:
        axes = font.get_variation_axes()
    except OSError:  # a font of one weight
        return font
    axis_values = {b"Weight": weight, b"Optical Size": 32}
    font.set_variation_by_axes([axis_values.get(axis["name"] or b"", axis["default"] or 0) for axis in axes])
    return font


def _open(number: int, size: int, layout: Layout) -> FreeTypeFont:
    source = _sources()[number]
    return ImageFont.truetype(
        BytesIO(source) if isinstance(source, bytes) else source, size, layout_engine=layout
    )


@cache
def _sources() -> list[bytes | str]:
    """The available fonts: packaged ones as bytes, system fonts as paths."""
    packaged = [files(package).joinpath("files", name).read_bytes() for package, name in PACKAGES]
    sources: list[bytes | str] = list(packaged)
    for name in SYSTEM_FONTS:
        try:
            sources.append(str(ImageFont.truetype(name, PROBE_SIZE).path))
        except OSError:  # not on this system
            continue
    return sources
