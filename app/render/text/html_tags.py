"""A few HTML tags in Markdown. All others are shown as the text that they are.

A tag becomes a token of the parser, and so does its end, so the HTML is balanced, and no attribute of a
session reaches the page, except the address and the description of a picture.
"""

from __future__ import annotations

import html
import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# A token at the parser's own limit (MAX_NESTING) would be left out with its contents.
MAX_LEVEL = 20

PAIRS = ("b", "strong", "i", "em", "s", "del", "ins", "kbd", "sub", "sup", "code")

_ENDS = {name: re.compile(f"</{name}>", re.IGNORECASE) for name in PAIRS}
_PAIR = re.compile(rf"<({'|'.join(PAIRS)})>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_IMAGE = re.compile(r"<img\s((?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![^\s\"'])(src|alt)\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)

_DETAILS = re.compile(r"<details(\s[^<>]{0,200})?>", re.IGNORECASE)
_DETAILS_IN_LINE = re.compile(rf"[ \t>]*(?:(?:[-*+]|\d{{1,9}}[.)])[ \t]+)?{_DETAILS.pattern}", re.IGNORECASE)
_END_OF_DETAILS = re.compile(r"</details>[ \t]*$", re.IGNORECASE)
_SUMMARY = re.compile(r"[\s>]*<summary>(.{0,2000}?)</summary>", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"[ \t>]*(?:```|~~~)")
_ANY = re.compile(f"{_PAIR.pattern}|{_BREAK.pattern}|<img\\s|<details", re.IGNORECASE)


def has_tags(text: str) -> bool:
    return "<" in text and _ANY.search(text) is not None


def tags(parser: MarkdownIt) -> None:
    """Adds the rules for the tags to a parser."""
    parser.inline.ruler.before("autolink", "tags", _inline_tag)
    parser.block.ruler.before(
        "paragraph", "details", _details, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )


def _inline_tag(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "<":
        return False
    return _line_break(state, silent) or _pair(state, silent) or _image(state, silent)


def _line_break(state: StateInline, silent: bool) -> bool:
    found = _BREAK.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _pair(state: StateInline, silent: bool) -> bool:
    """A tag with its end, between which is Markdown."""
    found = _PAIR.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    name = found[1].lower()
    end = _ENDS[name].search(state.src, found.end(), state.posMax)
    if not end:
        return False
    maximum = state.posMax
    if not silent:
        state.push(f"{name}_open", name, 1)
        state.pos, state.posMax = found.end(), end.start()
        state.md.inline.tokenize(state)
        state.push(f"{name}_close", name, -1)
    state.pos, state.posMax = end.end(), maximum
    return True


def _image(state: StateInline, silent: bool) -> bool:
    """A picture, which the renderer shows like one of Markdown."""
    found = _IMAGE.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    attributes = {
        each[1].lower(): html.unescape(each[2] or each[3] or "") for each in _ATTRIBUTE.finditer(found[1])
    }
    address = state.md.normalizeLink(attributes.get("src", ""))
    if not state.md.validateLink(address):
        return False
    if not silent:
        token = state.push("image", "img", 0)
        token.attrs = {"src": address}
        token.children = [Token("text", "", 0, content=attributes.get("alt", ""))]
    state.pos = found.end()
    return True


def _details(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """`<details>`, a summary, and Markdown until the `</details>` at the end of a line."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    opening = _DETAILS.match(state.src, start, state.eMarks[start_line])
    if not opening or state.level > MAX_LEVEL or state.is_code_block(start_line):
        return False
    last_line = _ends_of_details(state).get(start_line, end_line)
    if last_line >= end_line:
        return False
    if silent:
        return True
    end = state.eMarks[last_line]
    content_end = state.src.rindex("</", start, end)
    summary = _SUMMARY.match(state.src, opening.end(), content_end)
    token = state.push("details_open", "details", 1)
    if re.search(r"\bopen\b", opening[1] or "", re.IGNORECASE):
        token.attrs = {"open": ""}
    state.push("summary_open", "summary", 1)
    token = state.push("inline", "", 0)
    token.content = summary[1].strip() if summary else "Details"
    token.children = []
    state.push("summary_close", "summary", -1)
    _tokenize_between(state, summary.end() if summary else opening.end(), content_end, start_line, last_line)
    state.push("details_close", "details", -1)
    state.line = last_line + 1
    return True


def _tokenize_between(state: StateBlock, start: int, end: int, first_line: int, last_line: int) -> None:
    """Parses the text from `start` to `end`, which need not be where a line begins or ends."""
    while first_line < last_line and state.eMarks[first_line] < start:
        first_line += 1
    marks = (state.bMarks[first_line], state.tShift[first_line], state.sCount[first_line])
    if marks[0] + marks[1] < start:
        state.bMarks[first_line], state.tShift[first_line], state.sCount[first_line] = (
            start,
            0,
            state.blkIndent,
        )
    maximum, line_maximum, parent = state.eMarks[last_line], state.lineMax, state.parentType
    # What is laid out here belongs to no paragraph outside.
    state.eMarks[last_line], state.lineMax, state.parentType = end, last_line + 1, "root"
    state.md.block.tokenize(state, first_line, last_line + 1)
    state.eMarks[last_line], state.lineMax, state.parentType = maximum, line_maximum, parent
    state.bMarks[first_line], state.tShift[first_line], state.sCount[first_line] = marks


def _ends_of_details(state: StateBlock) -> dict[int, int]:
    """The line where each `<details>` ends, by the line where it begins; found once for a text."""
    known: dict[int, int] | None = state.env.get("ends_of_details")
    if known is not None:
        return known
    ends: dict[int, int] = {}
    begun: list[int] = []
    is_code = False
    for number, line in enumerate(state.src.split("\n")):
        is_code ^= _FENCE.match(line) is not None
        if is_code:
            continue
        if _DETAILS_IN_LINE.match(line):
            begun.append(number)
        if begun and _END_OF_DETAILS.search(line):
            ends[begun.pop()] = number
    state.env["ends_of_details"] = ends
    return ends
