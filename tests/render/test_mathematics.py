"""Formulas are drawn; what cannot be drawn, and what only looks like a formula, stays as it was written."""

from __future__ import annotations

import re

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.lib.budget import Budget
from app.render.text.markdown import markdown
from app.render.text.mathml import MAX_CHARACTERS, mathml
from tests.support import field
from tests.support.client import share


def render(text: str) -> lxml.html.HtmlElement:
    return lxml.html.fromstring(f"<div>{markdown(text, Budget())}</div>")


def formulas(text: str) -> list[str]:
    """What is drawn, without spaces."""
    return ["".join(formula.text_content().split()) for formula in render(text).xpath("//math")]


def test_a_reader_sees_formulas_and_can_see_their_source(client: FlaskClient) -> None:
    share(client, field.document_bytes("latex-altered"))
    page = client.get("/share/GhIjKlMn").text
    answer = lxml.html.fromstring(page).xpath("//div[@class='prose']")[0]
    assert ["".join(each.text_content().split()) for each in answer.xpath(".//math")] == [
        "ρ",
        "Tr(Oρ)",
        "(a11a21)ij×xi*yj*",
    ]
    assert answer.xpath(".//*[@class='formula' and @tabindex]/code/text()") == [r"\( \rho \)"]
    assert r"\begin{pmatrix} a_{11} \\ a_{21} \end{pmatrix}_{ij} \times x_{i}^{*} y_{j}^{*}" in page


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$x$, $n/2$ and $2n$", ["x", "n/2", "2n"]),
        ("**$a^2$** and $b_1$.", ["a2", "b1"]),
        ("设$x$为", ["x"]),
        ("the $n$th of the $k$-means ($x$), \\(n\\) and \\(O(n)\\)", ["n", "k", "x", "n", "O(n)"]),
        ("|a|\n|-|\n|$x^2$|", ["x2"]),
        ("so \\(a\\) and\n\\[ b \\]\nand $$c$$ too", ["a", "b", "c"]),
        ("text\n$$\nx = 1\n\n+ 2\n$$\ntext", ["x=1+2"]),
        ("- item\n  $$\n  x = 1\n  $$\n- item", ["x=1"]),
        ("> \\[\n> - x\n> = 1\n> \\]", ["−x=1"]),
        (r"$\mathbb{E}[X] = \sum_{i=1}^n p_i$", ["𝔼[X]=∑i=1npi"]),
        (r"$$\begin{aligned} a &= b \\ c &= d \end{aligned}$$", ["a=bc=d"]),
        (r"$$a &= b \\ c &= d$$", ["a=bc=d"]),
        (r"$$\begin{gather} a \\ b \end{gather}$$", ["ab"]),
        (r"$\text{if } x < 1$", ["ifx<1"]),
    ],
)
def test_a_formula_is_drawn(text: str, expected: list[str]) -> None:
    assert formulas(text) == expected


@pytest.mark.parametrize("base", [r"\begin{pmatrix} a \\ b \end{pmatrix}", r"\left( a b \right)", "x"])
@pytest.mark.parametrize(("script", "element"), [("_{i}", "msub"), ("^2", "msup"), ("_i^2", "msubsup")])
def test_a_script_belongs_to_all_of_its_base(base: str, script: str, element: str) -> None:
    scripts = render(f"${base}{script}$").xpath(f"//{element}")
    assert [len(each) for each in scripts] == [3 if element == "msubsup" else 2]


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $7",
        "It costs $5, or 10$ abroad, between $100K and 200K$.",
        "US$5–US$10, $5–$7",
        "$HOME/bin:$PATH and $HOME_DIR$",
        "${a}/${b} and ${a}$",
        "kill $$ and echo $$",
        "echo '$x' and '$y', \"$a\" \"$b\"",
        "match ^foo$|^bar$",
        "$el and $other",
        "the $ and the $",
        "$a = one two three$",
    ],
)
def test_money_and_variables_stay_text(text: str) -> None:
    root = render(text)
    assert not root.xpath("//math")
    assert root.text_content().strip() == text


@pytest.mark.parametrize(
    "text",
    [
        r"\[Note\] \(see below\)",
        r"array\[0\], f\(x\) and \[1\]",
        r"\[1\]",
        "- \\[ \\] a\n- \\[x\\] b",
        r"C:\(x86\) and '\(ab\)\(cd\)'",
        r"\\(x\\)",
        r"\(never closed",
    ],
)
def test_escaped_brackets_stay_brackets(text: str) -> None:
    root = render(text)
    assert not root.xpath("//math")
    unescaped = re.sub(r"\\([\[\]()\\])", r"\1", text)
    assert root.text_content().split() == unescaped.replace("- ", "").split()


@pytest.mark.parametrize("text", ["`$x$`", "```\n$$\nx=1\n$$\n```", "    $$x=1$$", r"\$x\$"])
def test_code_holds_no_formulas(text: str) -> None:
    assert not render(text).xpath("//math")


@pytest.mark.parametrize(
    "text",
    [
        r"$\unknown_a{x}_b$",
        r"$\frac{a}{$",
        r"$\sum\limits$",
        "$$\n\\frac{a_1}{\n\n* b_1\n$$",
        r"\(\begin{nothing} a_1 * b_1 * c \end{nothing}\)",
        r"$\newcommand{\a}{\b\b} \a$",
        "$x^{" + "9" * MAX_CHARACTERS + "}$",
    ],
)
def test_what_cannot_be_drawn_stands_as_it_was_written(text: str) -> None:
    root = render(text)
    assert not root.xpath("//math")
    assert root.text_content().strip() == text


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;img src=x onerror=alert(1)&gt;}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{step}{x}",
        r"\color{red}{x} \textcolor{#f00}{y}",
        r"\operatorname{<b>}",
        r"\hspace{-99em} \rule{99em}{99em} \hspace{9em\" onclick=\"x}",
        r"\begin{array}{<b>} x \end{array}",
        r"\left<script\right>",
    ],
)
def test_a_formula_brings_no_html_and_no_styles(latex: str) -> None:
    html = mathml(latex, Budget(), is_display=True) or ""
    root = lxml.html.fromstring(f"<div>{html}</div>")
    assert not root.xpath("//script | //img | //b | //a | //@style | //@href | //@onclick | //@mathcolor")
    assert not root.xpath("//@class[. = 'step'] | //@width[contains(., '99')]")


def test_a_page_without_budget_shows_the_source() -> None:
    root = lxml.html.fromstring(f"<div>{markdown('$x^2$ and $$y^2$$', Budget(max_bytes=30))}</div>")
    assert len(root.xpath("//math")) == 1
    assert "$$y^2$$" in root.text_content()


@pytest.mark.parametrize(
    "attack",
    [
        "$a" * 30_000,
        "$$a\n" * 16_000,
        "\\(" * 30_000,
        "\\[\n" * 20_000,
        "$x$ " * 15_000,
        "$" + "{" * 900 + "}" * 900 + "$",
        "$" + "\\frac" * 190 + "$",
        "$" + "\\left(" * 160 + "$",
    ],
    ids=lambda attack: attack[:8],
)
def test_formulas_that_are_slow_to_read_lose_nothing(attack: str) -> None:
    assert len(markdown(attack, Budget())) >= len(attack) / 2
