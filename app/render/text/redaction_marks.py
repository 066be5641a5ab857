"""Marks `[redacted:kind]`, which replaces a removed secret, as a chip in text and in highlighted code."""

from __future__ import annotations

import re

from markupsafe import Markup

# A lexer may put each word of it into a span of its own, and a diff may mark one of them.
_TAGS = r"(?:</?(?:span|mark)[^>]*>)*"
# Whole tags are skipped, so that nothing in an attribute matches.
_MARKER = re.compile(rf"<[^>]*>|\[{_TAGS}redacted{_TAGS}:(?P<kind>(?:{_TAGS}[a-z-]){{2,40}}){_TAGS}\]")
_TAG = re.compile(r"<(/?)[^>]*>")


def with_chips(html: Markup) -> Markup:
    """Our own HTML with a chip around each `[redacted:kind]` in its text."""
    if "redacted" not in html:
        return html
    # The HTML is escaped; only tags inside a match are dropped, and those are balanced.
    return Markup(_MARKER.sub(_chip, html))  # noqa: S704


def _chip(match: re.Match[str]) -> str:
    kind = match["kind"]
    ends = [tag[1] == "/" for tag in _TAG.finditer(match.group())]
    if kind is None or ends.count(True) != ends.count(False):
        return match.group()
    return f'<span class="redacted">[redacted:{_TAG.sub("", kind)}]</span>'
