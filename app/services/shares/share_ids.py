"""What the id of a share may be."""

from __future__ import annotations

import re

SHARE_ID = r"[A-Za-z0-9_-]{1,64}"


def is_share_id(text: str) -> bool:
    """Whether `text` can be the id of a share; nothing else is worth asking a database for."""
    return re.fullmatch(SHARE_ID, text) is not None
