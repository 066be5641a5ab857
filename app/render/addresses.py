"""Which addresses in a session may become links."""

from __future__ import annotations

import re

# Other schemes start programs, or are read by browsers as something else than an address.
_WEB = re.compile(r"https?://[^/\\]", re.IGNORECASE)
_OTHER = re.compile(r"mailto:|#", re.IGNORECASE)


def is_web_address(address: str) -> bool:
    return _WEB.match(address) is not None


def is_link(address: str) -> bool:
    """Whether an address is one of the web or of a person, or a place on the page itself."""
    return is_web_address(address) or _OTHER.match(address) is not None
