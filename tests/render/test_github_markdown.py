"""Markdown as people know it from GitHub: task lists, alerts, footnotes, addresses, and some HTML."""

from __future__ import annotations

import lxml.html
import pytest
from flask.testing import FlaskClient

from app.lib.budget import Budget
from app.render.text.markdown import MAX_CHARACTERS, markdown
from tests.support import field
from tests.support.client import share


def render(text: str, name: str = "part") -> lxml.html.HtmlElement:
    return lxml.html.fromstring(f"<div>{markdown(text, Budget(), name)}</div>")


def shown(text: str) -> str:
    """The text that a reader sees."""
    return " ".join(render(text).text_content().split())


def addresses(text: str) -> list[str]:
    return [str(address) for address in render(text).xpath("//a/@href")]


def test_a_task_list_has_boxes() -> None:
    root = render("- [x] tested\n- [ ] shipped\n\n1. [X] planned")
    boxes = root.xpath("//li/input[@type='checkbox' and @disabled and @aria-label='Done']")
    assert [box.get("checked") is not None for box in boxes] == [True, False, True]
    assert [item.text_content().strip() for item in root.xpath("//li")] == ["tested", "shipped", "planned"]


@pytest.mark.parametrize("text", ["- [ ](x)", "- [y] a", "- \\[x] a", "[x] a", "- `[x] a`"])
def test_other_brackets_are_no_boxes(text: str) -> None:
    assert not render(text).xpath("//input")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://example.com/a_b_c.", ["https://example.com/a_b_c"]),
        ("(http://localhost:8000/x?a=1&b=2)", ["http://localhost:8000/x?a=1&b=2"]),
        ("**https://example.com/x**", ["https://example.com/x"]),
        ("www.example.com/a, and more", ["http://www.example.com/a"]),
        ("请看https://example.com/a。然后", ["https://example.com/a"]),
        ("（https://example.com/a）", ["https://example.com/a"]),
        ("mailto:a@example.com https://b.example", ["mailto:a@example.com", "https://b.example"]),
        ("[https://a.example](https://b.example)", ["https://b.example"]),
    ],
)
def test_an_address_with_a_scheme_or_www_is_a_link(text: str, expected: list[str]) -> None:
    assert addresses(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "README.md, app.py, example.com and 127.0.0.1:80 :// www.",
        "git@github.com:a/b and user@example.com :// www.",
        "`https://example.com`",
        "    https://example.com",
        "ftp://example.com file:///etc/passwd javascript://x //example.com",
    ],
)
def test_nothing_else_is_a_link(text: str) -> None:
    assert addresses(text) == []


def test_a_footnote_stands_at_the_end_and_leads_back() -> None:
    root = render(
        "One[^a], two[^b], one again[^a].\n\n[^a]: First\n[^b]: Second\n\n    in two paragraphs", "prt_1"
    )
    assert [item.text_content().split()[0] for item in root.xpath("//section//li")] == ["First", "Second"]
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids)) == 5
    assert all("-prt_1-" in each for each in ids)
    assert {address[1:] for address in root.xpath("//a/@href")} == set(ids)


@pytest.mark.parametrize(
    "text", ["[^a]: never used", "a[^1]", "a[^1] b\n\n[^1]: x\n[^2]: y", "[^1]: x\n[^1]: y [^1]"]
)
def test_a_footnote_without_its_other_half_stays_text(text: str) -> None:
    assert shown(text) == " ".join(text.split())


def test_the_footnotes_of_two_answers_do_not_meet(client: FlaskClient) -> None:
    session = field.document("table-words-broken")
    parts = session["messages"][1]["parts"]
    parts[0]["text"] = "<think>x[^1]\n\n[^1]: a</think>\ny[^1]\n\n[^1]: b"
    parts.append({**parts[0], "id": parts[0]["id"][:-1] + "Z", "text": "z[^1]\n\n[^1]: c"})
    share(client, field.encoded(session))
    ids = lxml.html.fromstring(client.get("/share/GhIjKlMn").text).xpath("//@id")
    assert len([each for each in ids if each.startswith("fn-")]) == 3
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "caution"])
def test_an_alert_has_a_title_and_no_brackets(kind: str) -> None:
    alert = render(f"> [!{kind}]\n> Mind **this**.").xpath("//div[contains(@class, 'markdown-alert-')]")[0]
    assert alert.text_content().split() == [kind.capitalize(), "Mind", "this."]
    assert alert.xpath(".//strong")


@pytest.mark.parametrize("text", ["> [!FOO]\n> a", "> [!NOTE] a", "> a\n> [!NOTE]"])
def test_a_quotation_stays_one(text: str) -> None:
    assert render(text).xpath("//blockquote")


@pytest.mark.parametrize(
    "text",
    [
        "<details>\n<summary>More</summary>\n\nHidden *text*\n\n</details>",
        "<details><summary>More</summary>Hidden *text*</details>",
        "<DETAILS>\n\n<SUMMARY>\nMore\n</SUMMARY>\nHidden *text*</DETAILS>",
        "> <details>\n> <summary>More</summary>\n> Hidden *text*\n> </details>",
        "- <details><summary>More</summary>\n\n  Hidden *text*\n\n  </details>",
    ],
)
def test_details_are_folded_and_hold_markdown(text: str) -> None:
    details = render(text).xpath("//details[not(@open)]")[0]
    assert details.xpath("string(summary)").strip() == "More"
    assert details.xpath("string(p)").strip() == "Hidden text"
    assert details.xpath("p/em")


def test_details_end_where_theirs_end() -> None:
    root = render(
        "<details open>\n<details>\n<summary>Inner <b>one</b></summary>\na\n</details>\n"
        "```\n</details>\n```\nb\n</details>\nc"
    )
    outer = root.xpath("./details[@open]")[0]
    assert outer.xpath("string(details/summary/b)") == "one"
    assert outer.xpath("string(div/pre)").strip() == "</details>"
    assert root.xpath("string(./p)") == "c"


@pytest.mark.parametrize("text", ["<details>\nnever closed", "a <details> b", "</details>", "`<details>`"])
def test_details_without_an_end_are_text(text: str) -> None:
    assert "details>" in shown(text)


def test_the_tags_that_people_use_in_text_are_drawn() -> None:
    root = render("<kbd>Ctrl</kbd>+<KBD>C</KBD><br>H<sub>2</sub>O x<sup>*n*</sup><br/> <b>`a`</b>")
    assert root.xpath("//kbd/text()") == ["Ctrl", "C"]
    assert root.xpath("count(//br)") == 2
    assert root.xpath("//sub/text()") == ["2"]
    assert root.xpath("//sup/em/text()") == ["n"]
    assert root.xpath("//b/code/text()") == ["a"]


def test_a_cell_of_a_table_can_have_lines() -> None:
    assert render("|a|\n|-|\n|x<br>y|").xpath("//td/br")


def test_a_picture_in_html_is_a_link_too() -> None:
    root = render('<img width="3" src="https://a.example/b.png?c&amp;d" alt="A > b" onerror="x">')
    assert not root.xpath("//img")
    assert root.xpath("//a/@href") == ["https://a.example/b.png?c&d"]
    assert root.xpath("//a/text()") == ["A > b"]


@pytest.mark.parametrize(
    "text",
    [
        "<b onclick=alert(1)>x</b> <b>y",
        "<script>alert(1)</script> <kbd>",
        "<img src=x onerror=alert(1)>",
        '<img src="javascript:alert(1)" alt="x">',
        '<img src="data:text/html,x">',
        "<style>*{}</style><sub></i>",
        "<iframe src='https://a.example'></iframe> <br",
        '<a href="javascript:x">x</a><sup></b>',
    ],
)
def test_what_is_no_such_tag_is_shown_as_it_stands(text: str) -> None:
    root = render(text)
    assert shown(text) == text
    assert {element.tag for element in root.iter()} <= {"div", "p", "a"}
    assert not root.xpath("//@onclick | //@onerror | //@style | //a[not(starts-with(@href, 'https:'))]")


def test_the_tags_of_a_text_are_balanced() -> None:
    html = markdown(
        "<b>x <i>y</b> z</i> **<sub>a**</sub> <b><b>c</b></b> [<kbd>d](https://e.example)</kbd>", Budget()
    )
    opened: list[str] = []
    for piece in html.split("<")[1:]:
        name = piece.split(">")[0].split(" ")[0]
        if name.startswith("/"):
            assert opened.pop() == name[1:]
        else:
            opened.append(name)
    assert opened == []


@pytest.mark.parametrize(
    ("language", "label"),
    [("", "Code"), ("python", "python"), ("mermaid", "Mermaid diagram"), ("x" * 99, "x" * 60 + "…")],
)
def test_a_code_block_says_its_language(language: str, label: str) -> None:
    root = render(f"```{language}\ngraph TD\n```")
    assert root.xpath("string(//*[@class='bar'])") == label
    assert root.xpath("string(//*[@class='bar']/following-sibling::pre)") == "graph TD"
    assert root.xpath("//*[@class='bar']/button/@aria-label") == ["Copy code"]


@pytest.mark.parametrize(
    "attack",
    [
        "<b>" * (MAX_CHARACTERS // 3),
        "<details>\n" * (MAX_CHARACTERS // 10),
        "<details>" * 2000 + "</details>" * 2000,
        "<details>\n" * 2000 + "</details>\n" * 2000,
        "<img " + "'\"" * 30_000,
        "<b><i>" * 3000 + "</i></b>" * 3000,
        "[^a]: " * 10_000 + "[^a]",
        "[^a]" * 10_000 + "\n\n[^a]: x",
        "www.a" * 10_000,
        "http://" * 9000,
        "mailto:" * 9000,
        "- [ ] x\n" * 8000,
        "> [!NOTE]\n" * 6000,
    ],
    ids=lambda attack: attack[:10],
)
def test_text_that_is_slow_to_parse_loses_nothing(attack: str) -> None:
    html = markdown(attack, Budget())
    assert len(html) >= len(attack) / 2
