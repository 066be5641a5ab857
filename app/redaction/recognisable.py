"""What of a secret can be recognised elsewhere."""

from __future__ import annotations

import re

from app.redaction.values import is_distinctive

# Shorter ones may be lines of anything.
_LINE = re.compile(r"[A-Za-z0-9+/=]{40,}")
_END_OF_LINE = re.compile(r"\n|\\+[nr]")


def recognisable(secret: str) -> list[str]:
    """The secret; of one with several lines, also inside of a string, the long ones."""
    lines = _END_OF_LINE.split(secret)
    values = [secret] if len(lines) == 1 else [part for line in lines for part in _LINE.findall(line)]
    return [value for value in values if is_distinctive(value)]
