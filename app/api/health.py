"""Blueprint `health`: whether the process is alive, and whether what it needs can be reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as DatabaseTimeout

from app.db.extensions import db
from app.services.container import services
from app.storage import StorageError

TIMEOUT_SECONDS = 2
# Anybody may ask as often as they like, and a bucket bills every request.
CACHE_SECONDS = 1
READY_UNTIL = "better_share.ready_until"

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@bp.get("/api/health")
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 if database and store answer in time, or did in the last CACHE_SECONDS; otherwise 503."""
    extensions = current_app.extensions
    if time.monotonic() >= extensions.get(READY_UNTIL, 0.0):
        _check(_query_database, DatabaseTimeout())
        _check(services().store.check, StorageError(f"no answer within {TIMEOUT_SECONDS} s"))
        extensions[READY_UNTIL] = time.monotonic() + CACHE_SECONDS
    return {"status": "ok"}


def _query_database() -> None:
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _check(check: Callable[[], None], timeout: Exception) -> None:
    """Raises what `check` raises, or `timeout`; in a thread, because a store may hang for minutes."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            with app.app_context():
                check()
        except Exception as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    Thread(target=run, daemon=True).start()
    try:
        outcome.result(TIMEOUT_SECONDS)
    except TimeoutError:
        raise timeout from None
