"""Blueprint `health`: whether the process lives, and whether what it needs can be reached."""

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
from app.services.container import parts
from app.storage import StorageError

CHECK_SECONDS = 2
# Anybody may ask as often as they like, and a bucket bills each look at it.
GOOD_SECONDS = 1
GOOD_UNTIL = "better_share.good_until"

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@bp.get("/api/health")
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 when database and store answer in time, or did in the last GOOD_SECONDS.

    Their errors become 503 like everywhere else.
    """
    known = current_app.extensions
    if time.monotonic() >= known.get(GOOD_UNTIL, 0.0):
        _check(_ask_database, DatabaseTimeout())
        _check(parts().store.check, StorageError(f"no answer within {CHECK_SECONDS} s"))
        known[GOOD_UNTIL] = time.monotonic() + GOOD_SECONDS
    return {"status": "ok"}


def _ask_database() -> None:
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _check(check: Callable[[], None], late: Exception) -> None:
    """Raises what `check` raises, or `late`: a server that hangs keeps its clients waiting for minutes."""
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
        outcome.result(CHECK_SECONDS)
    except TimeoutError:
        raise late from None
