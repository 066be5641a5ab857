"""Terminal text: colours as classes, overwritten text gone, nothing of it taken for HTML."""

import json
import re

import pytest

from app.render.terminal import MAX_PARAMETERS, MAX_SPANS, terminal
from app.render.themes import colours, terminal_palette
from tests.support.paths import FIXTURES, ROOT

STYLESHEET = ROOT / "app" / "static" / "generated/terminal.css"
MEGABYTE = 1024 * 1024


def outputs(fixture: str) -> list[str]:
    document = json.loads((FIXTURES / fixture).read_text())
    parts = [part for message in document["messages"] for part in message["parts"]]
    return [part["state"].get("output", "") for part in parts if part.get("tool") == "bash"]


def text_of(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html)


def test_a_recorded_output_is_shown_as_its_terminal_showed_it():
    output = next(text for text in outputs("tools-gallery.json") if "✔ passed" in text)
    assert terminal(output) == [
        '<span class="t-bold t-fg-2">✔ passed</span> <span class="t-fg-1">red</span> '
        '<span class="t-underline">underline</span> <span class="t-bg-ink">inverse</span>',
        '<span class="t-fg-208">256 colours</span> <span class="t-fg-98">true colour</span> '
        '<span class="t-bg-22">background</span>',
        '<span class="t-fg-8">grey</span> <span class="t-strike">struck</span> '
        '<span class="t-italic">italic</span>',
        "a terminal link",
        "progress 100%",
        "cleared line",
        "",
    ]


def test_control_characters_of_a_recorded_output_are_pictures():
    output = next(text for text in outputs("unicode-and-injection.json") if "vt:" in text)
    assert terminal(output)[0] == r"nul:\0 vt:␋ ff:␌ esc:␛ del:␡ bad-utf8:�� end"


def test_every_recorded_output_keeps_its_number_of_lines_and_adds_only_spans():
    for output in outputs("tools-gallery.json") + outputs("unicode-and-injection.json"):
        lines = terminal(output)
        assert len(lines) == output.count("\n") + 1
        for line in lines:
            assert set(re.findall(r"<[^>]*>", line)) <= set(
                re.findall(r'<span class="t-[a-z0-9 -]+">|</span>', line)
            )


@pytest.mark.parametrize("attack", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "&lt;b>"])
def test_markup_in_the_text_is_escaped_wherever_it_stands(attack):
    around = ("{}", "\x1b[31m{}\x1b[0m", "x\r{}", "\x1b[{}", "\x1b[38;5;1m\b{}")
    for text in [place.format(attack) for place in around]:
        line = terminal(text)[0]
        assert re.findall(r"<[^>]*>", line) in ([], ['<span class="t-fg-1">', "</span>"])
        assert '"' not in text_of(line)


def test_an_attack_inside_a_sequence_reaches_neither_class_nor_text():
    assert terminal('\x1b]8;;javascript:alert(1)"onclick=x\x07click\x1b]8;;\x07') == ["click"]
    assert terminal('\x1b]0;<script>\x07\x1bP<b>\x1b\\\x1b_"\x1b\\ok') == ["ok"]
    assert terminal('\x1b[31;"m<') == ["&lt;"]


@pytest.mark.parametrize(
    ("sequence", "classes"),
    [
        ("1", "t-bold"),
        ("2;3;4;9", "t-dim t-italic t-strike t-underline"),
        ("30", "t-fg-0"),
        ("97;100", "t-fg-15 t-bg-8"),
        ("48;5;231", "t-bg-231"),
        ("38;2;255;0;0", "t-fg-196"),
        ("38:2::8:8:8", "t-fg-232"),
        ("38:5:12", "t-fg-12"),
        ("58;5;3;31", "t-fg-1"),
        ("31;7", "t-bg-1"),
        ("31;42;7", "t-fg-2 t-bg-1"),
        ("4:3", "t-underline"),
    ],
)
def test_looks_become_classes(sequence, classes):
    assert terminal(f"\x1b[{sequence}mx") == [f'<span class="{classes}">x</span>']


@pytest.mark.parametrize(
    "sequence",
    ["0", "", "38;5;256", "38;5", "38;2;1;2", "38;2;300;0;0", "38", "999", "99999999", ">4;2", "4;4:0"],
)
def test_what_means_nothing_leaves_text_plain(sequence):
    assert terminal(f"\x1b[{sequence}mx") == ["x"]


@pytest.mark.parametrize(
    ("on", "off"),
    [("1", "22"), ("2", "22"), ("3", "23"), ("4", "24"), ("7", "27"), ("9", "29"), ("31", "39")],
)
def test_each_look_ends_with_its_own_code(on, off):
    assert terminal(f"\x1b[{on}ma\x1b[{off}mb")[0].endswith("</span>b")


def test_a_look_is_closed_at_the_end_of_a_line_and_opened_again():
    assert terminal("\x1b[31ma\n\nb\x1b[0mc") == [
        '<span class="t-fg-1">a</span>',
        "",
        '<span class="t-fg-1">b</span>c',
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\r\n", ["a", "b", ""]),
        ("10%\r20%\r100%", ["100%"]),
        ("longer\rshort", ["shortr"]),
        ("longer\r\x1b[Kshort", ["short"]),
        ("longer\x1b[2K\rshort", ["short"]),
        ("longer\x1b[2K\x1b[1Gshort", ["short"]),
        ("abc\x1b[2GX", ["aXc"]),
        ("ab\b\bx", ["xb"]),
        ("\b\bx", ["x"]),
        ("a\tb", ["a\tb"]),
    ],
)
def test_a_line_is_overwritten_as_a_terminal_would(text, shown):
    assert terminal(text) == shown


def test_overwriting_replaces_the_look_too():
    assert terminal("\x1b[31mabc\r\x1b[32mX\x1b[0m") == [
        '<span class="t-fg-2">X</span><span class="t-fg-1">bc</span>'
    ]


@pytest.mark.parametrize(
    "sequence",
    ["\x1b[2J", "\x1b[1;1H", "\x1b[?25l", "\x1b[3A", "\x1b(B", "\x1b7", "\x1bc", "\x1b[0 q", "\x1b]0;t\x07"],
)
def test_other_sequences_are_dropped(sequence):
    assert terminal(f"a{sequence}b") == ["ab"]


@pytest.mark.parametrize(
    "rest", ["\x1b", "\x1b[", "\x1b[31", "\x1b]0;title", "\x1bPq", "\x1b(", "\x1b\x1b\x1b"]
)
def test_an_unfinished_sequence_costs_at_most_its_line(rest):
    assert terminal(f"a{rest}\nb")[1:] == ["b"]
    assert terminal(f"a{rest}") == ["a"]


@pytest.mark.parametrize(
    ("unit", "shown"),
    [
        ("\x1b", ""),
        ("\x1b]", ""),
        ("\x1b[", ""),
        ("\r", ""),
        ("x\r", "x"),
        ("\x1b[m", ""),
        ("\x1b[1G\x1b[Kx", "x"),
        ("a\b", "a"),
        ("\x1b[2Kx", "x"),
    ],
)
def test_a_megabyte_of_the_same_sequence_is_read_once(unit, shown):
    assert terminal(unit * (MEGABYTE // len(unit))) == [shown]


def test_a_long_line_is_not_copied_for_each_order():
    line = "a" * (MEGABYTE // 2)
    assert terminal(line + "\rb" * (MEGABYTE // 4)) == ["b" + line[1:]]
    assert terminal(line + "\x1b[Kx" * (MEGABYTE // 8)) == [line + "x" * (MEGABYTE // 8)]


def test_unfinished_strings_and_endless_parameters_end():
    assert terminal("\x1b]8;;" + "a" * MEGABYTE) == [""]
    assert terminal("\x1b[" + "1;" * MEGABYTE + "mx") == ['<span class="t-bold">x</span>']
    assert terminal("\x1b[" + "0;" * MAX_PARAMETERS + "1mx") == ["x"]
    assert terminal("\x1b[" + "9" * MEGABYTE + "mx") == ["x"]


def test_only_so_many_spans_are_made_and_the_text_stays_whole():
    pairs = MAX_SPANS + 500
    line = terminal("\x1b[31ma\x1b[32mb" * pairs)[0]
    assert line.count("<span") == line.count("</span>") == MAX_SPANS
    assert text_of(line) == "ab" * pairs


def test_the_stylesheet_is_what_its_generator_gives():
    assert STYLESHEET.read_text() == terminal_palette.stylesheet()
    assert STYLESHEET.stat().st_size < 20_000


def test_the_stylesheet_has_a_rule_for_every_class():
    rules = STYLESHEET.read_text()
    names = ["t-bold", "t-dim", "t-italic", "t-underline", "t-strike", "t-bg-ink"]
    names += [f"t-{side}-{number}" for side in ("fg", "bg") for number in range(256)]
    assert [name for name in names if not re.search(rf"\.{name}[,{{]", rules)] == []


def test_the_first_colours_can_be_read_where_no_theme_is_applied():
    for papers, values in (
        (("#ffffff", "#f6f7f9"), terminal_palette.LIGHT_16),
        (("#14171c", "#1d2128"), terminal_palette.DARK_16),
    ):
        for value in values:
            assert min(colours.contrast(value, paper) for paper in papers) >= 4.5, value


def test_backgrounds_carry_a_text_that_can_be_read():
    found = re.findall(r"background:(#\w+);color:(#\w+)", STYLESHEET.read_text())
    assert len(found) > 100
    for paper, ink in found:
        assert colours.contrast(paper, ink) >= 4.5


@pytest.mark.parametrize("number", range(16, 256))
def test_a_colour_of_the_palette_is_nearest_to_itself(number):
    found = terminal_palette.nearest(*colours.channels(terminal_palette.palette(number)))
    assert terminal_palette.palette(found) == terminal_palette.palette(number)
