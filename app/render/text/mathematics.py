r"""Finds formulas in Markdown: `$…$` and `\(…\)` in a line, `$$…$$` and `\[…\]` on lines of their own.

Prices, shell variables and escaped brackets are written with the same characters, so what stands between them
must look like mathematics too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

from app.render.text.mathml import MAX_CHARACTERS, mathml

# Escaped brackets stand in regular expressions, and after names.
_NOT_IN_CODE = r"(?<![A-Za-z0-9_\\:/'\")\]])"
# In a line, with whether it is drawn on a line of its own; none looks further than a formula may be long.
INLINE = (
    (re.compile(r"\$\$(?!\$)((?:\\.|[^\\$`]){1,4000}+)\$\$(?!\$)", re.DOTALL), True),
    (
        re.compile(
            r"(?<![A-Za-z0-9_\\$)\]}])\$(?![\s$]|\{[^\\])"
            r"((?:\\.|[^\\$`\n]){1,1000}+)(?<![\s\\])\$(?:(?=(?:th|st|nd|rd|s)\b)|(?![A-Za-z0-9_${(]))"
        ),
        False,
    ),
    (re.compile(rf"{_NOT_IN_CODE}\\\((.{{1,1000}}?)\\\)", re.DOTALL), False),
    (re.compile(rf"{_NOT_IN_CODE}\\\[(.{{1,4000}}?)\\\]", re.DOTALL), True),
)
BLOCK = {"$$": "$$", r"\[": r"\]"}

_SIGN = re.compile(r"[\\^=<>]|_\{|[\u2190-\u22ff]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_PROSE = re.compile(r"[^\W\d_]{3,},? +[^\W\d_]{3,}")
_AMOUNT = re.compile(r"\d[\d.,]*(?:, | +[^\W\d_])")


def has_mathematics(text: str) -> bool:
    return text.count("$") > 1 or r"\(" in text or r"\[" in text


def mathematics(parser: MarkdownIt) -> None:
    """Adds the rules for formulas to a parser."""
    parser.inline.ruler.before("escape", "formula", _inline)
    parser.block.ruler.before(
        "fence", "formula", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    parser.add_render_rule("formula", _render)
    parser.add_render_rule("formula_block", _render_block)


def is_mathematics(text: str) -> bool:
    """Whether a text looks like a formula, and not like words or an amount of money."""
    if not text.strip("\\ \n"):
        return False
    if not _SIGN.search(text):
        return not _WORD.search(text) and not _AMOUNT.match(text)
    return "\\" in text or not _PROSE.search(text)


def _is_formula(opening: str, text: str) -> bool:
    r"""As `is_mathematics`; `\[1\]` and `\[x\]` are brackets that somebody escaped."""
    is_bracket = opening == r"\[" and not text[0].isspace() and not _SIGN.search(text)
    return not is_bracket and is_mathematics(text)


def _inline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    for pattern, is_display in INLINE:
        found = pattern.match(state.src, state.pos, state.posMax)
        if found and _is_formula(found[0][:2], found[1]):
            if not silent:
                token = state.push("formula", "math", 0)
                token.content, token.markup, token.meta = found[1], found[0], {"is_display": is_display}
            state.pos = found.end()
            return True
    return False


def _block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if state.is_code_block(start_line):
        return False
    start = state.bMarks[start_line] + state.tShift[start_line]
    closing = BLOCK.get(state.src[start : start + 2])
    if closing is None:
        return False
    found = _lines_until(closing, state, start_line, end_line)
    source = "\n".join(found)
    content = source[2:-2]
    if not found or closing in content or not _is_formula(source[:2], content):
        return False
    end_line = start_line + len(found)
    if not silent:
        token = state.push("formula_block", "math", 0)
        token.content, token.markup, token.meta = content, source, {"is_display": True}
        token.map = [start_line, end_line]
        state.line = end_line
    return True


def _lines_until(closing: str, state: StateBlock, start_line: int, end_line: int) -> list[str]:
    """The lines up to the one that ends with `closing`; none if that is too far."""
    lines: list[str] = []
    length = 0
    for number in range(start_line, end_line):
        lines.append(state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].rstrip())
        length += len(lines[-1]) + 1
        if length > MAX_CHARACTERS:
            break
        if lines[-1].endswith(closing) and length > 2 * len(closing):
            return lines
    return []


def _render(
    _renderer: object, tokens: Sequence[Token], index: int, _options: object, env: dict[str, Any]
) -> str:
    """The formula, and its source for whoever clicks on it or reaches it with the keyboard."""
    token = tokens[index]
    formula = mathml(token.content.strip(), env["budget"], is_display=token.meta["is_display"])
    if formula is None:
        return str(Markup.escape(token.markup))
    css_class = "formula display" if token.meta["is_display"] else "formula"
    return str(
        Markup('<span class="{}" tabindex="0">{}<code>{}</code></span>').format(
            css_class, formula, token.markup
        )
    )


def _render_block(
    renderer: object, tokens: Sequence[Token], index: int, options: object, env: dict[str, Any]
) -> str:
    return f'<p class="plain">{_render(renderer, tokens, index, options, env)}</p>\n'
