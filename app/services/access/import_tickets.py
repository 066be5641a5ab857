"""Tickets for `opencode import <link>`, which sends neither cookies nor headers.

A ticket is part of the link: `/share/<id>_<ticket>` has the form that the importer takes, which then asks for
`/api/share/<id>_<ticket>/data`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from app.services.shares.live_share import LiveShare
from app.services.shares.share_ids import SHARE_ID

SECONDS = 60 * 60
# When it ends, in epoch seconds, and 96 bits of an HMAC: 22 characters of base64.
_FORMAT = struct.Struct(">I12s")
_ID_AND_TICKET = re.compile(rf"({SHARE_ID})_([A-Za-z0-9_-]{{22}})")


class ImportTicket(NamedTuple):
    """A share, and what a link says to be let in."""

    share_id: str
    proof: str

    def admits_to(self, share: LiveShare) -> bool:
        """Whether it was issued for this share less than an hour ago, under the password that it has now."""
        if share.is_public:
            return True
        ends_at, _ = _FORMAT.unpack(urlsafe_b64decode(self.proof + "=="))
        is_genuine = hmac.compare_digest(self.proof, _proof(share, ends_at))
        return bool(share.password_hash) and is_genuine and ends_at > time.time()


def issue_ticket(share: LiveShare) -> str:
    """What stands in a link in place of the share's id, good for SECONDS."""
    return f"{share.share_id}_{_proof(share, int(time.time()) + SECONDS)}"


def read_ticket(text: str) -> ImportTicket | None:
    """The ticket in what stands in place of an id."""
    match = _ID_AND_TICKET.fullmatch(text)
    return ImportTicket(match[1], match[2]) if match else None


def _proof(share: LiveShare, ends_at: int) -> str:
    message = f"import of {share.cache_key} until {ends_at}"
    mac = hmac.digest((share.password_hash or "").encode(), message.encode(), hashlib.sha256)
    return urlsafe_b64encode(_FORMAT.pack(ends_at, mac[:12])).rstrip(b"=").decode()
