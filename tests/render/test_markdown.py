"""Markdown: readable, safe, and silent towards other servers."""

from __future__ import annotations

import re

import pytest

from app.lib.budget import Budget
from app.render.text.markdown import MAX_CHARACTERS, markdown


def render(text: str) -> str:
    return str(markdown(text, Budget()))


def test_a_fence_is_highlighted_by_its_language() -> None:
    html = render("```python\nx = 1\n```")
    assert '<pre class="code" tabindex="0"><code><span class="n">x</span>' in html


def test_indented_code_and_unknown_languages_stay_plain() -> None:
    assert "<code>x &lt; 1</code>" in render("    x < 1")
    assert "<code>x &lt; 1</code>" in render("```klingon\nx < 1\n```")


def test_the_alignment_of_a_column_is_a_class() -> None:
    html = render("|a|b|\n|:-:|-:|\n|1|2|")
    assert '<th class="align-center">a</th>' in html
    assert '<td class="align-right">2</td>' in html
    assert "style" not in html


def test_html_is_shown_and_not_run() -> None:
    html = render('<img src=x onerror="alert(1)"> <script>alert(1)</script>\n\n<div>')
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    "target", ["javascript:alert(1)", "vbscript:x", "file:///etc/passwd", "data:text/html,x"]
)
def test_a_dangerous_link_is_only_text(target: str) -> None:
    assert "href" not in render(f"[click]({target})")


def test_a_link_does_not_tell_where_the_reader_comes_from() -> None:
    assert render("[docs](https://example.com)") == (
        '<p><a href="https://example.com" rel="noopener noreferrer nofollow">docs</a></p>\n'
    )


def test_a_picture_elsewhere_is_a_link_to_it() -> None:
    html = render("![a *chart*](https://tracker.example.com/p.png)")
    assert "<img" not in html
    assert re.search(r'<a href="https://tracker.example.com/p.png"[^>]*>a chart</a>', html)


@pytest.mark.parametrize(
    "attack",
    [
        "![" * (MAX_CHARACTERS // 2),
        "[" * MAX_CHARACTERS,
        "*a **b " * 9000,
        "[a](" * 16_000,
        "<" * 60_000,
    ],
    ids=lambda attack: attack[:8],
)
def test_text_that_is_slow_to_parse_is_shown_as_it_stands(attack: str) -> None:
    html = render(attack)
    assert len(html) >= len(attack) / 2


def test_what_the_timer_cut_is_shown_as_it_stands() -> None:
    budget = Budget(max_seconds=0)
    assert markdown("# <b>", budget) == '<div class="plain"># &lt;b&gt;</div>'
    assert budget.is_cut
