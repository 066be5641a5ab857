"""Times and sizes as operators write them."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
BYTES = {"": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3}


def read_duration(text: str) -> timedelta:
    """The time in words such as `30d`, `12h` or `90m`. Raises ValueError."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([smhdw])", text)
    if not found:
        raise ValueError(f"{text!r} is not a duration such as '30d', '12h' or '90m'.")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def read_size(text: str) -> int:
    """The bytes in a size such as `1500`, `500KB`, `10MB` or `2GB`. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,15}) ?([KMG]B)?", text.upper(), re.ASCII)
    if not found:
        raise ValueError(f"{text!r} is no size such as '500KB' or '10MB'.")
    return int(found[1]) * BYTES[found[2] or ""]
