"""Searches texts for many known secrets at once, each also in its escaped and encoded forms."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from app.redaction.scanner import Finding, merge_overlaps
from app.redaction.stripped_text import unwrapped

# Any 8 characters of a text contain 5 that begin at a multiple of 4, so the text is sampled at those offsets
# only. Shorter secrets are not searched for.
MIN_LENGTH = 8
WINDOW = 5
STEP = 4
# The characters of a base64 form that must not depend on what is encoded around the value.
MIN_ENCODED = 12
# The characters of base64 removed on either side of a value.
MAX_AROUND = 4096

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_")


class _Needle(NamedTuple):
    """One form of a secret. `is_encoded` forms are base64; the base64 around a match is removed with it."""

    text: str
    kind: str
    is_encoded: bool


class KnownSecrets:
    """An index of the forms of `secrets`, a mapping of value to kind."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._samples: defaultdict[str, list[tuple[_Needle, int]]] = defaultdict(list)
        for value, kind in secrets.items():
            for needle in _forms(value, kind):
                if len(needle.text) >= MIN_LENGTH:
                    for offset in range(STEP):
                        self._samples[needle.text[offset : offset + WINDOW]].append((needle, offset))

    def search(self, text: str) -> list[Finding]:
        """Return the matches in order, without overlaps; base64 is matched across line breaks."""
        if not self._samples:
            return []
        wrapped = unwrapped(text)
        if wrapped is None:
            return self._search(text)
        return merge_overlaps([*self._search(text), *wrapped.restored(self._search(wrapped.plain))])

    def _search(self, text: str) -> list[Finding]:
        samples = self._samples
        places = [at for at in range(0, len(text) - WINDOW + 1, STEP) if text[at : at + WINDOW] in samples]
        return merge_overlaps(
            _finding(text, at - offset, needle)
            for at in places
            for needle, offset in samples[text[at : at + WINDOW]]
            if at >= offset and text.startswith(needle.text, at - offset)
        )


def _finding(text: str, at: int, needle: _Needle) -> Finding:
    start, end = at, at + len(needle.text)
    if needle.is_encoded:
        while start > 0 and at - start < MAX_AROUND and text[start - 1] in _BASE64:
            start -= 1
        while end < len(text) and end - at < MAX_AROUND and text[end] in _BASE64:
            end += 1
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
        escaped = quote(value, safe, errors="replace")
        yield escaped
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), escaped)


def _base64(value: str, before: int) -> str:
    """The base64 characters that are the same wherever the value follows `before` bytes, modulo 3."""
    data = bytes(before) + value.encode(errors="replace")
    return base64.b64encode(data).decode()[-(-before * 8 // 6) : len(data) * 8 // 6]
