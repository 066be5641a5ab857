"""The form of an output, as far as it can be told from the output itself."""

from __future__ import annotations

import re

from app.render.text.block_texts import as_json
from app.render.tools.view import CodeSection, MarkdownSection, Section

# How much of an output is looked at to tell what it is.
MAX_LOOKED_AT = 16 * 1024
# Longer output is not numbered, but shown as it is.
MAX_NUMBERED_CHARACTERS = 1024 * 1024

# Possessive, so that a line of a million zeros is not scanned a million times.
_LINE = re.compile(r"\s*+(\d{1,9}+)[:|] ?(.*)")

# Each line, or piece of one, that hardly anything but Markdown has: a heading with a blank line or a fence
# after it, a fence, the line under the head of a table, a link, and bold words.
_SIGN = re.compile(
    r"^#{1,6} \S.*\n(?=\s*$|```)"
    r"|^```[\w+-]*$"
    r"|^\|(?: ?:?-{3,}:? ?\|)+ *$"
    r"|\]\((?:https?:|/|#)"
    r"|(?<!\S)\*\*[^\s*][^*\n]{0,100}\*\*(?!\w)",
    re.MULTILINE,
)
MIN_SIGNS = 2


def output_section(name: str, text: str, label: str = "") -> Section:
    """JSON as JSON, Markdown as Markdown, anything else as it is."""
    if json := as_json(text):
        return CodeSection(name, json, "json", label=label)
    if is_markdown(text):
        return MarkdownSection(name, text, label)
    return CodeSection(name, text, label=label)


def is_markdown(text: str) -> bool:
    """Whether the beginning of a text has several signs of Markdown, or begins with a heading."""
    beginning = text[:MAX_LOOKED_AT].lstrip()
    signs = [sign.start() for sign, _ in zip(_SIGN.finditer(beginning), range(MIN_SIGNS), strict=False)]
    return len(signs) >= MIN_SIGNS or (signs == [0] and beginning.startswith("#"))


def numbered_lines(text: str) -> tuple[str, int | None]:
    """The lines of a file without their numbers, and the number of the first; any other text as it is."""
    if len(text) > MAX_NUMBERED_CHARACTERS:
        return text, None
    lines = [_LINE.fullmatch(line) for line in text.split("\n")]
    first = int(lines[0][1]) if lines[0] else 0
    if not all(line and int(line[1]) == first + index for index, line in enumerate(lines)):
        return text, None
    return "\n".join(line[2] for line in lines if line), first
