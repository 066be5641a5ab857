"""Searches texts for many known secrets at once, each also in its escaped and encoded forms."""

from __future__ import annotations

import base64
import json
import re
import string
from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from app.redaction.finding import Finding, merge_overlaps
from app.redaction.literals import Literals
from app.redaction.stripped_text import unwrapped
from app.redaction.utf16 import from_units
from app.redaction.words import long_words

# Shorter secrets are not searched for.
MIN_LENGTH = 8
# The characters of a base64 form that must not depend on what is encoded around the value.
MIN_ENCODED = 12
# The characters of base64 removed on either side of a value.
MAX_AROUND = 4096
# The beginning of a secret that is searched for, as a terminal or a tool cuts it, and how many secrets
# may begin with the same characters.
HEAD = 16
MAX_SAME_HEAD = 4

_BASE64 = string.ascii_letters + string.digits + "+/=-_"
_RUN = re.compile(f"[A-Za-z0-9+/=_-]{{0,{MAX_AROUND}}}")


class _Needle(NamedTuple):
    """One form of a secret. `is_encoded` forms are base64; the base64 around a match is removed with it."""

    text: str
    kind: str
    is_encoded: bool


class KnownSecrets:
    """An index of the forms of `secrets`, a mapping of value to kind."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._needles: dict[str, _Needle] = {}
        self._heads: defaultdict[str, list[_Needle]] = defaultdict(list)
        for value, kind in secrets.items():
            for needle in _forms(value, kind):
                if len(needle.text) >= MIN_LENGTH:
                    self._needles.setdefault(needle.text, needle)
            heads = self._heads[value[:HEAD]] if _can_be_cut(value) else None
            if heads is not None and len(heads) < MAX_SAME_HEAD:
                heads.append(_Needle(value, kind, is_encoded=False))
        self._literals = Literals([*self._needles, *self._heads]) if self._needles else None

    def search(self, text: str) -> list[Finding]:
        """Return the matches in order, without overlaps; base64 is matched across line breaks."""
        if self._literals is None:
            return []
        wrapped = unwrapped(text, long_words(text))
        if wrapped is None:
            return self._search(text, self._literals)
        plain = self._search(wrapped.plain, self._literals)
        return merge_overlaps([*self._search(text, self._literals), *wrapped.restored(plain)])

    def _search(self, text: str, literals: Literals) -> list[Finding]:
        findings: list[Finding] = []
        covered = 0
        for literal, start in literals.occurrences(text):
            if start + len(literal) <= covered:
                continue
            needle = self._needles.get(literal)
            finding = _finding(text, start, needle) if needle else self._cut(text, start, literal)
            if finding:
                findings.append(finding)
                covered = max(covered, finding.end)
        return merge_overlaps(findings)

    def _cut(self, text: str, start: int, head: str) -> Finding | None:
        """The beginning of a secret of which more than half stands at `start`."""
        for value, kind, _ in self._heads[head]:
            length = _common_length(value, text[start : start + len(value)])
            if 2 * length > len(value):
                return Finding(start, start + length, kind)
        return None


def _common_length(one: str, other: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(other))


def _can_be_cut(value: str) -> bool:
    return len(value) > HEAD and "://" not in value


def _finding(text: str, at: int, needle: _Needle) -> Finding:
    start, end = at, at + len(needle.text)
    if needle.is_encoded:
        before = text[max(0, at - MAX_AROUND) : at]
        start -= len(before) - len(before.rstrip(_BASE64))
        run = _RUN.match(text, end)
        end = run.end() if run else end
    return Finding(start, end, needle.kind)


def _forms(value: str, kind: str) -> Iterator[_Needle]:
    for text in {value, *_in_json(value), _in_html(value), *_in_addresses(value)}:
        yield _Needle(text, kind, is_encoded=False)
    encoded = {text for before in range(3) if len(text := _base64(value, before)) >= MIN_ENCODED}
    for text in encoded | {text.replace("+", "-").replace("/", "_") for text in encoded}:
        yield _Needle(text, kind, is_encoded=True)


def _in_json(value: str) -> Iterator[str]:
    """The value escaped as JavaScript, PHP and Go do in JSON, once and twice (JSON inside a JSON string)."""
    for escaped in (_plain, _php, _go):
        once = escaped(value)
        yield from (once, _plain(once), escaped(once))


def _plain(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _php(text: str) -> str:
    return _plain(text).replace("/", "\\/")


def _go(text: str) -> str:
    return re.sub("[&<>]", lambda character: f"\\u{ord(character[0]):04x}", _plain(text))


def _in_html(value: str) -> str:
    return escape(value, quote=False)


def _in_addresses(value: str) -> Iterator[str]:
    """The value percent-encoded as JavaScript, RFC 3986 and Python do, in upper and lower case."""
    for safe in ("!'()*~", "~", "/~"):
        escaped = quote(from_units(value), safe, errors="replace")
        yield escaped
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), escaped)


def _base64(value: str, before: int) -> str:
    """The base64 characters that are the same wherever the value follows `before` bytes, modulo 3."""
    data = bytes(before) + from_units(value).encode(errors="replace")
    return base64.b64encode(data).decode()[-(-before * 8 // 6) : len(data) * 8 // 6]
