"""Periodic work of every process, in two threads.

One forgets shares that have ended and evicts caches: a share may have been deleted on another host, and this
is how its traces leave this one. The other writes checkpoints and deletes objects; since it waits for the
store, it must not hold up the first.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from flask import Flask

from app.lib.background import Background
from app.services.container import services
from app.services.members.sessions import member_of

# Within a minute of its end nothing of a share is left on any host.
INTERVAL_SECONDS = 25
# A round of work on the store starts nothing more after this time. What takes longer goes on beside the next.
ROUND_SECONDS = 15
MAX_PARALLEL = 4

logger = logging.getLogger(__name__)
Task = Callable[[], None]


def start(app: Flask) -> None:
    """Takes the reserve, and runs maintenance in threads for as long as the process lives."""
    with app.app_context():
        services().reserve.create()
    background = Background(MAX_PARALLEL)
    for work in (clean_caches, lambda: _work_on_store(app, background)):
        threading.Thread(target=_run_forever, args=[app, work, threading.Event()], daemon=True).start()


def run_maintenance() -> None:
    """One round of everything, in this thread."""
    clean_caches()
    for task in _store_tasks().values():
        _run(task)


def clean_caches() -> None:
    """Forgets shares that have ended, evicts what was used longest ago, keeps the reserve, writes views."""
    cached = services().cache_keys()
    for cache_key in cached - services().live_shares.cache_keys(cached):
        services().forget(cache_key)
    services().cache.evict()
    services().reserve.create()
    services().views.flush(member_of)


def _store_tasks() -> dict[str, Task]:
    """What is due, by names that are the same in the next round."""
    cleanup, checkpointer = services().object_cleanup, services().checkpointer
    cleanups: dict[str, Task] = {f"clean {id}": _bind(cleanup.run_or_log, id) for id in cleanup.due()}
    return cleanups | {f"checkpoint {id}": _bind(checkpointer.run_or_log, id) for id in checkpointer.due()}


def _work_on_store(app: Flask, background: Background) -> None:
    ends_at = time.monotonic() + ROUND_SECONDS
    for name, task in _store_tasks().items():

        def run(task: Task = task) -> None:
            with app.app_context():
                _run(task)

        if not background.start(name, run, timeout=ends_at - time.monotonic()):
            return
    background.wait(ends_at - time.monotonic())


def _bind(method: Callable[[str], None], share_id: str) -> Task:
    return lambda: method(share_id)


def _run(task: Task) -> None:
    try:
        task()
    except Exception:
        logger.exception("maintenance failed and will be tried again")


def _run_forever(app: Flask, work: Task, never: threading.Event) -> None:
    # Workers start together; the jitter lets one find what another has done already.
    while not never.wait(INTERVAL_SECONDS * random.uniform(0.8, 1.2)):  # noqa: S311 - no secret
        with app.app_context():
            _run(work)
