"""Themes: every text can be read on every paper it stands on, and no theme leaks into another."""

import re

import pytest

from app.render.themes import colours, terminal_palette
from app.render.themes.themes import THEMES, default_stylesheet, stylesheet

ALL = pytest.mark.parametrize("name", THEMES)
PAPERS = ("paper", "raised", "bad-paper", "added-paper", "removed-paper")
WORDS = ("added-word", "removed-word")
TEXTS = ("ink", "quiet", "link", "good", "busy", "bad")


def palette(name: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):(#\w+)", stylesheet(name)))


def test_contrast_is_measured_as_wcag_does():
    assert colours.contrast("#000", "#fff") == 21
    assert colours.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert colours.contrast("#123456", "#123456") == 1


def test_there_is_a_choice_of_light_and_dark_themes():
    dark = [theme for theme in THEMES.values() if theme.is_dark]
    assert len(dark) >= 6
    assert len(THEMES) - len(dark) >= 6
    assert len({theme.label for theme in THEMES.values()}) == len(THEMES)
    assert all(re.fullmatch(r"[a-z-]+", name) for name in THEMES)


@ALL
def test_a_theme_is_as_dark_as_it_says(name):
    is_dark = THEMES[name].is_dark
    assert colours.is_dark(palette(name)["paper"]) is is_dark
    assert f"color-scheme:{'dark' if is_dark else 'light'};" in stylesheet(name)


@ALL
def test_texts_of_the_page_can_be_read_on_every_paper(name):
    found = palette(name)
    for text in TEXTS:
        for paper in PAPERS:
            assert colours.contrast(found[text], found[paper]) >= 4.5, (text, paper)


@ALL
def test_code_can_be_read_also_in_diffs_and_on_changed_words(name):
    found = palette(name)
    tokens = set(re.findall(r"\{color:(#\w+)", stylesheet(name))) | {found["ink"]}
    assert len(tokens) > 4
    for token in tokens:
        for paper in PAPERS + WORDS:
            assert colours.contrast(token, found[paper]) >= 4.5, (token, paper)


@ALL
def test_terminal_colours_can_be_read(name):
    found = palette(name)
    for number in range(16):
        assert colours.contrast(found[f"t-{number}"], found["raised"]) >= 4.5
    fixed = re.findall(r"light-dark\((#\w+),(#\w+)\)", terminal_palette.stylesheet())
    assert len(fixed) > 100
    for pair in fixed:
        assert colours.contrast(pair[THEMES[name].is_dark], found["raised"]) >= 4.5, pair


@ALL
def test_added_and_removed_can_be_told_from_the_page_and_from_each_other(name):
    found = palette(name)
    assert len({found[paper] for paper in PAPERS + WORDS}) == len(PAPERS + WORDS)
    assert colours.has_hue(found["added-word"], 60, 180)
    assert colours.has_hue(found["removed-word"], 320, 60)


@ALL
def test_a_stylesheet_is_small_and_has_nothing_but_rules(name):
    sheet = stylesheet(name)
    assert len(sheet.encode()) < 6 * 1024
    assert "url(" not in sheet
    assert "@import" not in sheet
    assert re.fullmatch(r"(?:(?::root|\.code span:is\([.\w,]+\))\{[-\w#:;]+\}\n)+", sheet)


@ALL
def test_every_theme_sets_the_same_properties_and_resets_the_same_classes(name):
    assert palette(name).keys() == palette("paper").keys()
    reset = r"(\.code span:is\([^)]*\))\{color:inherit;"
    assert re.findall(reset, stylesheet(name)) == re.findall(reset, stylesheet("paper"))
    assert len(re.findall(reset, stylesheet(name))) == 1


def test_a_style_keeps_its_own_colours_where_they_can_be_read():
    for name, paper, function in (("dracula", "#282a36", "#50fa7b"), ("monokai", "#272822", "#a6e22e")):
        assert palette(name)["paper"] == paper
        assert re.search(rf"\.nf[,)][^{{]*\{{color:{function}", stylesheet(name))


def test_an_unreadable_colour_keeps_its_hue():
    moved = colours.readable("#ffcc00", ["#ffffff"])
    assert colours.contrast(moved, "#ffffff") >= 4.5
    assert colours.has_hue(moved, 46, 50)
    assert colours.readable("#000000", ["#ffffff"]) == "#000000"


def test_a_stylesheet_is_the_same_each_time():
    fresh = stylesheet.__wrapped__("nord")
    assert fresh == stylesheet("nord") == stylesheet.__wrapped__("nord")


def test_an_unknown_theme_is_a_key_error():
    with pytest.raises(KeyError):
        stylesheet("../../etc/passwd")


def test_the_default_follows_the_system():
    sheet = default_stylesheet("paper", "ink")
    light, dark = sheet.split("@media (prefers-color-scheme:dark){\n")
    assert light == stylesheet("paper")
    assert dark == stylesheet("ink") + "}\n"
