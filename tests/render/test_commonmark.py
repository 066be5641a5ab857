"""Markdown beyond ASCII and beyond CommonMark leaves CommonMark as it is."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML

from app.lib.budget import Budget
from app.render.text.markdown import markdown, parser
from tests.support import field
from tests.support.client import share
from tests.support.optional import COMMONMARK_SPEC, require

SPEC = Path(__file__).parent / "node_modules" / "commonmark-spec" / "spec.txt"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.MULTILINE | re.DOTALL)


@cache
def examples() -> list[tuple[str, str]]:
    """The examples of the specification: Markdown, and the HTML that it means."""
    require(COMMONMARK_SPEC)
    spec = SPEC.read_text().replace("→", "\t")
    return [(match[1], match[2]) for match in EXAMPLE.finditer(spec)]


def test_the_examples_of_the_specification_are_read_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    without_html = MarkdownIt("commonmark", {"html": False})
    # Raw HTML is not interpreted, on purpose.
    relevant = [(text, html) for text, html in examples() if without_html.render(text) == html]
    assert len(relevant) > 550
    differing = []
    for text, html in relevant:
        env: dict[str, object] = {}
        markdown_it = parser(text)
        # The specification links relative addresses too, and none without brackets.
        monkeypatch.setattr(type(markdown_it), "validateLink", MarkdownIt.validateLink)
        monkeypatch.setitem(markdown_it.options, "linkify", False)
        found = RendererHTML(markdown_it).render(markdown_it.parse(text, env), markdown_it.options, env)
        if found != html:
            differing.append((text, found, html))
    assert differing == []


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**开源：**代码", "<strong>开源：</strong>代码"),
        ("含**「重点」**内容。", "含<strong>「重点」</strong>内容。"),
        ("含**“重点”**内容。", "含<strong>“重点”</strong>内容。"),
        ("**日本語（括弧）。**続き", "<strong>日本語（括弧）。</strong>続き"),
        ("これは*「強調」*です", "これは<em>「強調」</em>です"),
        ("**한국어(KR)**는", "<strong>한국어(KR)</strong>는"),
        ("**`code`**を使う", "<strong><code>code</code></strong>を使う"),
        ("~~旧：~~新", "<s>旧：</s>新"),
        ("**葛󠄀（城）**市", "<strong>葛󠄀（城）</strong>市"),
        ("变量_名_在此", "变量_名_在此"),
        ("2**3**4 和 5 ** 6", "2<strong>3</strong>4 和 5 ** 6"),
    ],
)
def test_emphasis_works_beside_full_width_punctuation(text: str, html: str) -> None:
    assert markdown(text, Budget()) == f"<p>{html}</p>\n"


@pytest.mark.parametrize("text", ["a**(b)**c", "a**“b”**c", "**a.**b", "🎉**(b)**c", "a_(b)_c"])
def test_elsewhere_punctuation_inside_a_word_ends_no_emphasis(text: str) -> None:
    assert markdown(text, Budget()) == MarkdownIt("commonmark").render(text)


def test_an_answer_in_chinese_has_no_stray_asterisks(client: FlaskClient) -> None:
    share(client, field.document_bytes("cjk-emphasis"))
    page = client.get("/share/GhIjKlMn").text
    assert "<strong>开源：</strong>代码" in page
    assert "**" not in page
