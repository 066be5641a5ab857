"""Text of strangers for terminals and logs: on one line, with nothing in it that a terminal would obey."""

from __future__ import annotations

import re

# C0 and C1 controls with DEL, line and paragraph separators, controls of writing direction, and surrogates.
# The plugin has the same in src/lib/visible.ts.
INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""The text with escapes such as `\x1b`, `\n` or `\u202e` in place of these characters."""
    return INVISIBLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def visible_json(json: str) -> str:
    r"""Indented JSON with escapes such as `\u009b`, which mean the same to its readers."""
    return "\n".join(
        INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", line) for line in json.split("\n")
    )
