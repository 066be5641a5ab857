"""Shows what was removed from a session before it was shared as a chip, in text and in highlighted code."""

from __future__ import annotations

import re

from markupsafe import Markup

# A lexer may put each word of a marker into a span of its own, and a diff may mark one of them.
_TAGS = r"(?:</?(?:span|mark)[^>]*>)*"
# Whole tags are passed over, so that no marker is found in an attribute.
_MARKER = re.compile(rf"<[^>]*>|\[{_TAGS}redacted{_TAGS}:(?P<kind>(?:{_TAGS}[a-z-]){{2,40}}){_TAGS}\]")
_TAG = re.compile(r"<(/?)[^>]*>")


def with_chips(html: Markup) -> Markup:
    """HTML of ours with a chip around each `[redacted:kind]` that a reader sees."""
    if "redacted" not in html:
        return html
    # Of the HTML, which is escaped, only the tags inside of a marker are dropped, and they are balanced.
    return Markup(_MARKER.sub(_chip, html))  # noqa: S704


def _chip(found: re.Match[str]) -> str:
    kind = found["kind"]
    ends = [tag[1] == "/" for tag in _TAG.finditer(found.group())]
    if kind is None or ends.count(True) != ends.count(False):
        return found.group()
    return f'<span class="redacted">[redacted:{_TAG.sub("", kind)}]</span>'
