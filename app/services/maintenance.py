"""Drops what this machine still holds of shares that have ended, on whichever machine they were deleted.

And folds what OpenCode's own protocol has brought into the stored documents.
"""

from __future__ import annotations

import logging
import random
import threading

from flask import Flask

from app.services.container import parts

# Within a minute of its end nothing of a share is left on any machine.
SECONDS = 25

logger = logging.getLogger(__name__)


def start(app: Flask) -> None:
    """Keeps house in a thread of its own, for as long as the process lives."""
    threading.Thread(target=_keep_house_forever, args=[app, threading.Event()], daemon=True).start()


def keep_house() -> None:
    """Forgets the shares that have ended, trims the cache to its size, and folds what is due."""
    held = parts().lives()
    for life in held - parts().shares.live_names(held):
        parts().forget(life)
    parts().cache.trim()
    parts().folding.fold_due()


def _keep_house_forever(app: Flask, never: threading.Event) -> None:
    # Workers start together; what one has dropped another need not.
    while not never.wait(SECONDS * random.uniform(0.8, 1.2)):  # noqa: S311 - no secret
        try:
            with app.app_context():
                keep_house()
        except Exception:
            logger.exception("housekeeping failed and will be tried again")
