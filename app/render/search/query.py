"""The language of searches: words, `"a phrase"`, `tool:bash`, `file:app.py` and `is:error`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.render.search.folding import fold

# How much of a query counts.
MAX_QUERY_CHARACTERS = 200
MAX_QUERY_TERMS = 10

# A quotation may lack its end, as it does while somebody types it.
_TERM = re.compile(
    r'(?:(?P<operator>tool|file|is):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))', re.IGNORECASE
)


@dataclass(frozen=True)
class Query:
    """What a block must be to match, all of it folded (`app.render.search.folding`).

    It has all `terms` in its texts, is a call of one of the `tools` if there are any, is about all `files`,
    and with `is_error` failed.
    """

    terms: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    is_error: bool = False

    def __bool__(self) -> bool:
        return self.is_error or bool(self.terms or self.tools or self.files)


def parse_query(text: str) -> Query:
    """The query of its first MAX_QUERY_CHARACTERS and MAX_QUERY_TERMS; an unknown operator is a word."""
    terms: list[str] = []
    named: dict[str, list[str]] = {"tool": [], "file": []}
    is_error = False
    matches = list(_TERM.finditer(text[:MAX_QUERY_CHARACTERS]))
    for match in matches[:MAX_QUERY_TERMS]:
        operator = (match["operator"] or "").lower()
        value = _value(match["phrase"] if match["word"] is None else match["word"])
        if operator == "is" and value == "error":
            is_error = True
        elif operator in named and value:
            named[operator].append(value.replace("\\", "/") if operator == "file" else value)
        else:
            terms.append(_value(match.group()) if operator else value)
    return Query(_unique(terms), _unique(named["tool"]), _unique(named["file"]), is_error)


def _value(text: str) -> str:
    return " ".join(fold(text).split())


def _unique(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, values)))
