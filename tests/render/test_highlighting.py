"""Highlighting: right for code, harmless for hostile input."""

from __future__ import annotations

import re
import threading
import time

import pytest
from markupsafe import Markup, escape

from app.lib.budget import MAX_CODE_BYTES, Budget
from app.lib.time_limit import TimeLimitExceeded
from app.render.text.highlight import ALIASES, LEXERS, highlight, language_of_file, lexer


def unescape(line: Markup) -> str:
    return str(Markup(re.sub(r"</?span[^>]*>", "", line)).unescape())


def test_code_is_marked_up_by_its_tokens() -> None:
    assert highlight("if f():", "python", Budget()) == [
        '<span class="k">if</span> <span class="n">f</span><span class="p">():</span>'
    ]


def test_a_token_over_several_lines_is_closed_on_each() -> None:
    lines = highlight('"""one\ntwo"""', "python", Budget())
    assert lines == [
        '<span class="sd">"""one</span>',
        '<span class="sd">two"""</span>',
    ]


def test_code_is_escaped_with_and_without_a_language() -> None:
    attack = "</code><script>alert(1)</script>"
    for language in (*LEXERS, "", "none", "<script>"):
        html = Markup("").join(highlight(attack, language, Budget()))
        assert "<script" not in html
        assert unescape(html) == attack


def test_control_characters_become_their_pictures() -> None:
    assert highlight("a\x1b[0m\x00", None, Budget()) == ["a␛[0m␀"]


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b/app.py", "python"),
        ("Dockerfile", "docker"),
        ("x.TS", "typescript"),
        ("x.unknown", None),
        ("", None),
    ],
)
def test_a_file_name_tells_the_language(path: str, language: str | None) -> None:
    assert language_of_file(path) == language


def test_every_name_leads_to_a_lexer() -> None:
    for name in set(ALIASES.values()):
        assert list(lexer(name).get_tokens("x = 1\n"))


# What makes regular expressions of lexers backtrack: nesting, runs of one character, and unclosed things.
HOSTILE = {
    "backslashes": "\\" * 60,
    "quotes": "\"'" * 2000,
    "open brackets": "([{<" * 2000,
    "one long line": "a" * 16_000,
    "spaces": " " * 16_000,
    "unclosed string": '"' + "\\a" * 8000,
    "unclosed comment": "/*" + "* " * 8000,
    "lines of backslashes": ("\\" * 400 + "\n") * 40,
    "lines of words": ("a " * 240 + "\n") * 33,
    "lines of angles": ("<" * 490 + "\n") * 33,
    "lines of dollars": ("$" * 490 + "\n") * 33,
    "lines of digits": ("1" * 490 + "\n") * 33,
    "indentation": "".join(" " * (level % 400) + "- a:\n" for level in range(70)),
    "operators": ("=-+!~&|^" * 60 + "\n") * 33,
    "interpolation": ("${" * 240 + "\n") * 33,
}


@pytest.mark.parametrize("language", LEXERS)
def test_no_allowed_lexer_hangs_on_hostile_input(language: str) -> None:
    """The cpu_time_limit is the last resort: it may cut a block short, but no block may outlive it."""
    budget = Budget(max_bytes=10**9, max_seconds=10**9)
    for name, attack in HOSTILE.items():
        lexer(language)
        started = time.process_time()
        lines = highlight(attack, language, budget)
        assert time.process_time() - started < 5, name
        assert "\n".join(map(unescape, lines)) == attack


def test_a_lexer_that_hangs_is_stopped_and_its_code_shown_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    # One of the lexers that are left out for this very reason.
    monkeypatch.setitem(ALIASES, "scala", "scala")
    lexer("scala")
    budget = Budget()
    attack = '"' + "\\" * 64
    assert highlight(attack, "scala", budget) == [escape(attack)]
    assert budget.is_cut


def test_a_long_line_stays_plain_and_its_neighbours_do_not() -> None:
    first, long, last = highlight("x = 1\n" + "y" * 501 + "\nz = 1", "python", Budget())
    assert "<span" in first
    assert long == "y" * 501
    assert "<span" in last


def test_a_block_over_the_cap_stays_plain() -> None:
    large = "x = 1\n" * (MAX_CODE_BYTES // 6 + 1)
    assert not any("<span" in line for line in highlight(large, "python", Budget()))


def test_a_page_that_has_spent_its_bytes_shows_plain_code() -> None:
    budget = Budget(max_bytes=10)
    assert "<span" in highlight("x = 1", "python", budget)[0]
    assert "<span" not in highlight("x = 1234", "python", budget)[0]


def test_a_page_that_has_spent_its_time_shows_plain_code() -> None:
    budget = Budget(max_seconds=0)
    assert highlight("x = 1", "python", budget) == ["x = 1"]
    assert budget.is_cut


def test_timers_nest() -> None:
    budget = Budget()
    with pytest.raises(TimeLimitExceeded), budget.time_limit(0.2):  # noqa: PT012 - the loop must run inside
        with budget.time_limit(0.1):
            pass
        while True:
            pass


def test_what_other_threads_do_cuts_nothing_short() -> None:
    def work() -> None:
        while time.thread_time() < 0.5:
            pass

    thread = threading.Thread(target=work)
    budget = Budget()
    with budget.time_limit(0.2):
        thread.start()
        thread.join()
    assert not budget.is_cut


def test_highlighting_works_where_timers_cannot() -> None:
    lines: list[Markup] = []
    thread = threading.Thread(target=lambda: lines.extend(highlight("x = 1", "python", Budget())))
    thread.start()
    thread.join()
    assert "<span" in lines[0]
