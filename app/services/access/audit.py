"""The audit log: what was done to which share, by whom and from where, as one line of JSON each.

It goes to the logger `app.audit`, whose lines are among those of the server's log.
"""

from __future__ import annotations

import logging
from typing import Literal

import msgspec
from flask import request

from app.lib.visible import visible_json
from app.services.members.sessions import current_member, presented_token

Event = Literal[
    "share_created",
    "share_changed",
    "share_claimed",
    "claim_refused",
    "share_deleted",
    "password_entered",
    "password_refused",
    "signed_in",
    "sign_in_refused",
    "signed_out",
    "token_created",
    "token_revoked",
]

logger = logging.getLogger("app.audit")


def audit(event: Event, share_id: str | None = None, **details: object) -> None:
    """Writes an event of the current request; details that are None are left out.

    `member` is who is signed in or whose token it is, and `from` the address of the client.
    """
    token = presented_token()
    member = current_member() or (token and token.member)
    entry = {
        "event": event,
        "shareId": share_id,
        "member": member and member.account,
        "from": request.remote_addr,
        **details,
    }
    present = {name: value for name, value in entry.items() if value is not None}
    logger.info("%s", visible_json(msgspec.json.encode(present).decode()))
