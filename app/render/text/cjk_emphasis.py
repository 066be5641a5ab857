"""Emphasis next to Chinese, Japanese and Korean text, which has no spaces around words.

In CommonMark, `**` after punctuation ends emphasis only before a space or more punctuation: `**重点。**内容`
would stay as it is. The rules here are those of "CJK-friendly emphasis"
(github.com/tats-u/markdown-cjk-friendly), an amendment to CommonMark that changes nothing where there is no
CJK character.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType


class CjkFriendlyInline(ParserInline):
    """The inline parser, with another definition of what can open and close emphasis."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        """As in CommonMark, but a CJK character beside the run counts as punctuation does."""
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        if _is_variation_selector(before) and start > 1:
            before = self.src[start - 2]
        is_cjk_before, is_cjk_after = _is_cjk(before), _is_cjk(after)
        if not (is_cjk_before or is_cjk_after):
            return scanned
        # CJK punctuation is a CJK character first.
        is_punctuation_before = not is_cjk_before and _is_punctuation(before)
        is_punctuation_after = not is_cjk_after and _is_punctuation(after)
        is_space_before, is_space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
        is_left = not is_space_after and (
            not is_punctuation_after or is_space_before or is_punctuation_before or is_cjk_before
        )
        is_right = not is_space_before and (
            not is_punctuation_before or is_space_after or is_punctuation_after or is_cjk_after
        )
        return Scanned(
            can_open=is_left and (canSplitWord or not is_right or _is_punctuation(before)),
            can_close=is_right and (canSplitWord or not is_left or _is_punctuation(after)),
            length=scanned.length,
        )


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


@lru_cache(maxsize=4096)
def _is_cjk(character: str) -> bool:
    """Whether a character is as wide as an ideograph (UAX #11), and no emoji."""
    if character.isascii() or unicodedata.east_asian_width(character) not in ("W", "F", "H"):
        return False
    is_symbol = unicodedata.category(character) in ("So", "Sk")
    return not is_symbol or 0x2E80 <= ord(character) <= 0x33FF


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
