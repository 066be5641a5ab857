"""Periodic work of every process: forgets shares that have ended, evicts caches, writes checkpoints.

A share may have been deleted on another host; this is how its traces leave this one.
"""

from __future__ import annotations

import logging
import random
import threading

from flask import Flask

from app.services.container import services

# Within a minute of its end nothing of a share is left on any host.
INTERVAL_SECONDS = 25

logger = logging.getLogger(__name__)


def start(app: Flask) -> None:
    """Runs maintenance in a thread of its own, for as long as the process lives."""
    threading.Thread(target=_run_forever, args=[app, threading.Event()], daemon=True).start()


def run_maintenance() -> None:
    cached = services().cache_keys()
    for cache_key in cached - services().shares.live_cache_keys(cached):
        services().forget(cache_key)
    services().cache.evict()
    services().checkpointer.checkpoint_due()


def _run_forever(app: Flask, never: threading.Event) -> None:
    # Workers start together; the jitter lets one find what another has done already.
    while not never.wait(INTERVAL_SECONDS * random.uniform(0.8, 1.2)):  # noqa: S311 - no secret
        try:
            with app.app_context():
                run_maintenance()
        except Exception:
            logger.exception("maintenance failed and will be tried again")
