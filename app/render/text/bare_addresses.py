"""Makes links of addresses that stand in a text as they are, with a scheme or `www.` at their beginning.

Without one, `README.md` and `user@host` would be addresses too.
"""

from __future__ import annotations

import re

from linkify_it import LinkifyIt
from linkify_it.main import Match
from markdown_it import MarkdownIt

MAX_ADDRESS_CHARACTERS = 2000
_FULL_WIDTH_PUNCTUATION = re.compile("[\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]")


def has_bare_addresses(text: str) -> bool:
    return "://" in text or "www." in text


def bare_addresses(parser: MarkdownIt) -> None:
    """Adds the rules for addresses to a parser."""
    parser.linkify = _linkify
    parser.options["linkify"] = True
    parser.enable("linkify")


class _Linkify(LinkifyIt):  # type: ignore[misc]  # it has no types
    def __init__(self) -> None:
        www = {"validate": self._validate_www, "normalize": self._add_scheme}
        is_guessed = {"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False}
        super().__init__(schemas={"www.": www}, options=is_guessed)

    def _validate_http(self, text: str, pos: int) -> int:
        """The length of the address after its scheme; in Chinese and Japanese, no space ends it."""
        length = int(super()._validate_http(text, pos))
        punctuation = _FULL_WIDTH_PUNCTUATION.search(text, pos, pos + length)
        return punctuation.start() - pos if punctuation else length

    def _validate_www(self, text: str, pos: int) -> int:
        address = "//" + text[pos : pos + MAX_ADDRESS_CHARACTERS]
        return max(0, self._validate_http(address, 0) - len("//"))

    def _add_scheme(self, match: Match) -> None:
        match.url = f"http://{match.url}"


_linkify = _Linkify()
