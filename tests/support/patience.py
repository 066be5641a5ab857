"""How long tests wait for what must come: ceilings, which nothing waits for in full."""

from __future__ import annotations

import os

# Set TEST_PATIENCE=5 on a machine that is five times slower.
FACTOR = float(os.environ.get("TEST_PATIENCE", "1"))


def patience(seconds: float) -> float:
    """A ceiling in seconds, scaled by TEST_PATIENCE."""
    return seconds * FACTOR
