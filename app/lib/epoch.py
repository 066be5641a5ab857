"""Times as numbers."""

from __future__ import annotations

from datetime import datetime


def epoch_milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
