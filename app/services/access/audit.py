"""The audit log: what was done to which share, by whom and from where, as one line of JSON each.

It goes to the logger `app.audit`, whose lines are among those of the server's log.
"""

from __future__ import annotations

import logging
from typing import Literal

import msgspec
from flask import request

from app.http.proxy_sign_in import signed_in_member
from app.lib.visible import visible_json

Event = Literal["share_created", "share_changed", "share_deleted", "password_entered", "password_refused"]

logger = logging.getLogger("app.audit")


def audit(event: Event, share_id: str, *, token: str | None = None, **details: object) -> None:
    """Writes an event of the current request; `token` is the name of the creation token.

    `member` is who is signed in, and `from` the address of the client.
    """
    entry = {
        "event": event,
        "shareId": share_id,
        "member": signed_in_member(),
        "token": token,
        "from": request.remote_addr,
        **details,
    }
    present = {name: value for name, value in entry.items() if value is not None}
    logger.info("%s", visible_json(msgspec.json.encode(present).decode()))
