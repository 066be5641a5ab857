"""Draws the link preview image (`og:image`): title and facts of a session."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageDraw

from app.render.transcript.text import on_one_line
from app.share.card.text import TextStyle, drawable, is_right_to_left

WIDTH, HEIGHT, MARGIN = 1200, 630, 80
PAPER, LINE = "#14171c", "#2b323c"
INK, QUIET, ACCENT = "#f2f5f9", "#9aa5b4", "#79b8ff"

MAX_LINES = 3
MAX_CHARACTERS = 300
# Style and most lines, in order of preference: the first that the title fits is used, the last one cuts it.
TITLES = ((TextStyle(88, 700), 2), (TextStyle(74, 700), MAX_LINES), (TextStyle(64, 700), MAX_LINES))
LINE_HEIGHT = 1.2
TITLE_INDENT, BAR = 44, 8
TITLE_MIDDLE = 310
FACTS, FACTS_BASELINE = TextStyle(28, 500), 555
NAME = TextStyle(34, 600)
MARK_SIZE = 56
SMOOTHING = 4
COLOURS = 64
UNTITLED = "A shared session"


def card(title: str, facts: Sequence[str]) -> bytes:
    """Return a PNG of 1200 x 630 pixels; characters that no installed font has are left out."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    _draw_name(image, draw)
    _draw_title(draw, _legible(title) or UNTITLED)
    _draw_facts(draw, [text for fact in facts if (text := _legible(fact))])
    png = BytesIO()
    image.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(png, "PNG")
    return png.getvalue()


def _legible(text: str) -> str:
    """Return the drawable part of `text`, or "" if that is less than half of it."""
    whole = on_one_line(text[:MAX_CHARACTERS])
    drawn = drawable(whole)
    return drawn if len(drawn) * 2 > len(whole) else ""


def mark(size: int) -> Image.Image:
    """Draw the logo, `size` pixels square."""
    unit = size * SMOOTHING / 56
    image = Image.new("RGB", (size * SMOOTHING, size * SMOOTHING), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, 56 * unit - 1, 56 * unit - 1), 14 * unit, ACCENT)
    width = round(6 * unit)
    _stroke(draw, [(15, 17), (26, 28), (15, 39)], unit, width)
    _stroke(draw, [(30, 39), (43, 39)], unit, width)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _stroke(draw: ImageDraw.ImageDraw, places: Sequence[tuple[int, int]], unit: float, width: int) -> None:
    """Draw a polyline with round ends and corners."""
    points = [(x * unit, y * unit) for x, y in places]
    draw.line(points, PAPER, width)
    for x, y in points:
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), PAPER)


def _draw_name(image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
    top = 72
    image.paste(mark(MARK_SIZE), (MARGIN, top))
    NAME.write(draw, "Better Share", MARGIN + MARK_SIZE + 20, top + MARK_SIZE / 2 + 12, INK, rtl=False)


def _draw_title(draw: ImageDraw.ImageDraw, title: str) -> None:
    """Draw the title beside a bar, like a prompt on the session page."""
    left, right = MARGIN, WIDTH - MARGIN
    room = right - left - TITLE_INDENT
    for style, most in TITLES:
        lines = style.wrapped(title, room)
        if len(lines) <= most:
            break
    if len(lines) > MAX_LINES:
        lines[MAX_LINES - 1 :] = [style.cut(" ".join(lines[MAX_LINES - 1 :]), room)]
    height = style.size * LINE_HEIGHT
    top = TITLE_MIDDLE - height * len(lines) / 2
    rtl = is_right_to_left(title)
    bar, edge = (right - BAR, right - TITLE_INDENT) if rtl else (left, left + TITLE_INDENT)
    draw.rounded_rectangle((bar, top + 4, bar + BAR, top + height * len(lines) - 4), BAR / 2, ACCENT)
    for number, line in enumerate(lines):
        # The baseline that puts capital letters, 0.73 of the size high, in the middle of the line.
        baseline = top + height * (number + 0.5) + style.size * 0.365
        style.write(draw, line, edge, baseline, INK, rtl)


def _draw_facts(draw: ImageDraw.ImageDraw, facts: Sequence[str]) -> None:
    draw.line((MARGIN, 488, WIDTH - MARGIN, 488), LINE, 2)
    line = FACTS.cut("  ·  ".join(facts), WIDTH - 2 * MARGIN)
    FACTS.write(draw, line, MARGIN, FACTS_BASELINE, QUIET, rtl=False)
