"""Finds keys that have nothing but a length, behind the names of their providers: `CIRCLECI_TOKEN=...`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from app.redaction.finding import Finding
from app.redaction.heuristics import passes
from app.redaction.rules import PROVIDER_LENGTHS, compiled

KIND = "api-key"
# The characters between the name of a provider and the end of the name that it begins.
MAX_REST = 40

# The rest of the name, and the key; or the rest of a longer word.
_KEY = compiled(
    r"((?>[A-Za-z0-9_.-]{0,40}))"
    r"(?:<near>(?![A-Za-z0-9_=-]{131})([A-Za-z0-9_=-]{14,130})(?![A-Za-z0-9_=/+-])|([A-Za-z0-9_.-]+))"
)
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
        first = 0
        for offset in offsets[name]:
            match = _KEY.match(text, offset + len(name)) if offset >= first else None
            if not match:
                continue
            if match.lastindex == 3:
                first = match.end() - MAX_REST - len(name)
                continue
            if _OTHER.search(match[1]):
                continue
            start, end = match.span(2)
            has_length = any(least <= end - start <= most for least, most in lengths)
            if has_length and passes("unprefixed", match[2]):
                yield Finding(start, end, KIND)
