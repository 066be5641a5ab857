"""What was removed from a session is shown as a chip, wherever it stood, and nothing else becomes one."""

from __future__ import annotations

import lxml.html
import pytest
from flask.testing import FlaskClient
from markupsafe import Markup, escape

from app.lib.budget import Budget
from app.render.diff.words import mark
from app.render.terminal import terminal
from app.render.text.highlight import LEXERS, highlight
from app.render.text.markdown import markdown
from app.render.text.redaction_marks import with_chips
from tests.support.client import share
from tests.support.recorded import with_parts

MARKER = "[redacted:aws-access-key]"
CHIP = f'<span class="redacted">{MARKER}</span>'


def test_a_marker_in_text_becomes_a_chip() -> None:
    assert with_chips(markdown(f"The key is {MARKER}.", Budget())) == f"<p>The key is {CHIP}.</p>\n"
    assert with_chips(markdown(f"`KEY={MARKER}`", Budget())) == f"<p><code>KEY={CHIP}</code></p>\n"
    [line] = terminal(f"\x1b[32m{MARKER}\x1b[0m ok")
    assert with_chips(line) == f'<span class="t-fg-2">{CHIP}</span> ok'


@pytest.mark.parametrize("language", [*LEXERS, ""])
def test_a_marker_in_code_becomes_a_chip_and_the_spans_stay_balanced(language: str) -> None:
    code = f'key: {MARKER}\nx = "{MARKER}" + f({MARKER}) # {MARKER}'
    html = with_chips(Markup("\n").join(highlight(code, language, Budget())))
    parsed = lxml.html.fromstring(f"<pre>{html}</pre>")
    assert parsed.text_content() == code
    assert lxml.html.tostring(parsed, encoding="unicode").count("</span>") == html.count("</span>")
    assert html.count("<span") == html.count("</span>")
    # JSON outside of a string is no JSON: its lexer cuts words, and the marker stays text.
    assert html.count(CHIP) >= (1 if language == "json" else 3)


def test_a_marker_in_a_changed_line_becomes_a_chip() -> None:
    assert with_chips(mark(escape(f"k={MARKER};"), [(3, 11), (16, 22)])) == f"k={CHIP};"


@pytest.mark.parametrize(
    "text",
    [
        "[redacted:<script>alert(1)</script>]",
        '[redacted:"onclick="x]',
        "[redacted:]",
        "[redacted:A B]",
        "[redacted: key]",
        f"[redacted:{'a' * 60}]",
        "<b>[redacted",
    ],
)
def test_what_is_no_marker_stays_escaped_text(text: str) -> None:
    assert with_chips(escape(text)) == escape(text)


def test_attributes_are_left_alone() -> None:
    html = Markup('<a href="https://x/{0}" title="{0}">{0}</a>').format(MARKER)
    assert with_chips(html) == Markup('<a href="https://x/{0}" title="{0}">{1}</a>').format(
        MARKER, Markup(CHIP)
    )


def test_a_page_shows_chips_in_every_kind_of_block(client: FlaskClient) -> None:
    output = f"\x1b[1m{MARKER}\x1b[0m\n{MARKER} is set"
    ran = {"status": "completed", "input": {"command": f"K={MARKER}"}, "output": output}
    parts = [
        {"id": "prt_1", "type": "text", "text": f"use {MARKER}"},
        {"id": "prt_2", "type": "reasoning", "text": f"**{MARKER}**"},
        {"id": "prt_3", "type": "tool", "tool": "bash", "state": ran},
    ]
    share(client, with_parts(*parts))
    assert client.get("/share/GhIjKlMn").text.count(CHIP) == 6


def test_tags_that_do_not_close_inside_keep_a_marker_from_becoming_a_chip() -> None:
    html = Markup('[redacted:<span class="n">aws</span><span class="k">-key]</span>')
    assert with_chips(html) == html
