"""The picture of a link: any title fits on it, none breaks it."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from app.share.card import text
from app.share.card.image import INK, TITLES, UNTITLED, card
from app.share.card.text import TextStyle, drawable, is_right_to_left
from tests.support.optional import FRIBIDI, require

FACTS = ("acme-api", "anthropic/claude-sonnet-4-5", "42 messages", "7 files changed")
TITLES_OF_ALL_KINDS = {
    "short": "Fix typo",
    "usual": "Add per-client rate limiting to the order API",
    "empty": "",
    "space": " \t\n ",
    "long": "word " * 2000,
    "unbroken": "x" * 10_000,
    "cyrillic and greek": "Добавить ограничение частоты запросов: Ελληνικά",
    "chinese": "为订单接口添加限流" * 20,
    "arabic": "إضافة حد للطلبات (rate limit) إلى واجهة الطلبات",
    "hebrew": "שלום עולם (API)",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🚀" * 20,
    "half characters": "a \ud800 b \udc00\ud800",
    "controls": "\x1b[31mred\x1b[0m\x00\x07\r\n\u202eevil\u2028\x9b",
    "markup": '</title><script>alert(0)</script>"&amp;',
    "marks": "Z̷̢̛͕̥̮a̶l̸g̷o̶" + "\u0301" * 5000,
    "private": "\ue000\uffff\U0010ffff\u0378",
}


def picture(title: str, facts: tuple[str, ...] = FACTS) -> Image.Image:
    return Image.open(BytesIO(card(title, facts)))


def box_of_ink(image: Image.Image) -> tuple[int, int, int, int]:
    """Where the title is: the pixels of its colour between the name and the facts."""
    area = image.convert("RGB").crop((0, 140, 1200, 484))
    grey = area.convert("L").point(lambda value: 255 if value > 230 else 0)
    return grey.getbbox() or (0, 0, 0, 0)


@pytest.mark.parametrize("title", TITLES_OF_ALL_KINDS.values(), ids=TITLES_OF_ALL_KINDS)
def test_any_title_makes_a_small_picture_and_stays_inside(title: str) -> None:
    data = card(title, (*FACTS, title))
    image = Image.open(BytesIO(data))
    assert (image.format, image.size) == ("PNG", (1200, 630))
    assert len(data) < 60_000
    left, top, right, bottom = box_of_ink(image)
    assert 76 <= left < right <= 1124
    if title != TITLES_OF_ALL_KINDS["marks"]:
        assert 0 < top < bottom < 344


def test_a_title_is_written_in_at_most_three_lines_and_ends_with_an_ellipsis(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(TextStyle, "write", lambda self, draw, text, *args, **kw: lines.append(text))
    card("several words " * 100, ("a", "b"))
    name, *title, facts = lines
    assert name == "Better Share"
    assert len(title) == 3
    assert title[-1].endswith("…")
    assert facts == "a  ·  b"


def test_a_short_title_is_larger_than_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(TextStyle, "write", lambda self, *args, **kw: sizes.append(self.size))
    card("Fix typo", ())
    card("several words " * 100, ())
    assert (sizes[1], sizes[-2]) == (TITLES[0][0].size, TITLES[-1][0].size)


def test_a_title_that_cannot_be_drawn_is_replaced() -> None:
    assert card("\U0001f680" * 30, ()) == card(UNTITLED, ()) == card("", ())


def test_what_no_font_has_is_left_out() -> None:
    assert drawable("a 🚀 b \ud800\x00\u202e c") == "a b c"
    assert drawable("e\u0301tat") == "état"


def test_letters_that_need_shaping_are_left_out_where_nothing_shapes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text, "CAN_SHAPE", False)
    text._font_of.cache_clear()
    try:
        assert drawable("API مرحبا") == "API"
    finally:
        text._font_of.cache_clear()


def test_a_right_to_left_title_begins_at_the_right() -> None:
    require(FRIBIDI)
    title = TITLES_OF_ALL_KINDS["arabic"]
    assert is_right_to_left(title)
    assert box_of_ink(picture(title))[2] > 1050
    assert box_of_ink(picture("Short"))[2] < 600


def test_ideographs_break_anywhere_but_before_a_closing_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TextStyle, "width", lambda self, text: len(text))
    assert TextStyle(1, 400).wrapped("漢字かな、文です", 4) == ["漢字か", "な、文で", "す"]
    assert TextStyle(1, 400).wrapped("one two-three", 7) == ["one", "two-thr", "ee"]


def test_the_title_is_written_in_its_colour() -> None:
    rgb = tuple(int(INK[place : place + 2], 16) for place in (1, 3, 5))
    colours = {colour for _, colour in picture("MMM").convert("RGB").getcolors(100_000) or []}
    assert any(max(abs(a - b) for a, b in zip(colour, rgb, strict=True)) < 8 for colour in colours)
