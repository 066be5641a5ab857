"""Finds keys that have nothing but a length, behind the names of their providers: `CIRCLECI_TOKEN=...`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from app.redaction.finding import Finding
from app.redaction.heuristics import passes
from app.redaction.rules import PROVIDER_LENGTHS, compiled

KIND = "api-key"

# The rest of the name, and the key.
_KEY = compiled(r"((?>[A-Za-z0-9_.-]{0,40}))<near>([A-Za-z0-9_=-]{14,130})(?![A-Za-z0-9_=/+-])")
# Names of what has the length of a key and is none.
_OTHER = re.compile(
    r"(?:id|uuid|sha|md5|hash|commit|ref|rev|revision|release|version|digest|checksum|integrity|ur[il]|path|file"
    r"|image|public|dsn)s?[0-9]{0,3}$",
    re.IGNORECASE,
)


def find_unprefixed(text: str, offsets: Mapping[str, Sequence[int]]) -> Iterator[Finding]:
    """Find the keys behind the names of providers, whose offsets in the text are given."""
    for name in sorted(PROVIDER_LENGTHS.keys() & offsets.keys()):
        lengths = PROVIDER_LENGTHS[name]
        for offset in offsets[name]:
            match = _KEY.match(text, offset + len(name))
            if not match or _OTHER.search(match[1]):
                continue
            start, end = match.span(2)
            has_length = any(least <= end - start <= most for least, most in lengths)
            if has_length and passes("unprefixed", match[2]):
                yield Finding(start, end, KIND)
