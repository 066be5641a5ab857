"""Blueprint `health`: what runs, whether it is alive, and whether what it needs can be used."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from threading import Thread
from typing import NamedTuple

from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from app.db.errors import reason_of
from app.db.extensions import db
from app.errors import RETRY_SECONDS
from app.http.metrics import Event, count
from app.lib.build_id import build_id
from app.lib.os_errors import describe
from app.lib.release import RELEASE
from app.services.container import services
from app.storage import StorageError

TIMEOUT_SECONDS = 2
# Anybody may ask as often as they like, and a bucket bills every request.
CACHE_SECONDS = 1
READY_UNTIL = "better_share.ready_until"
# As much as a row or a small page takes.
DISK_BYTES = 64 * 1024
# A row of its own in the table that is written most often anyway.
WRITE = text(
    "INSERT INTO rate_limit_counts (key, hits, expires_at) VALUES ('readyz', 0, 0) "
    "ON CONFLICT (key) DO UPDATE SET hits = 0"
)

bp = Blueprint("health", __name__)
logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """Something that the server needs; `check` raises if it cannot be used."""

    name: str
    check: Callable[[], None]
    failure: Event | None = None


@bp.get("/healthz")
@bp.get("/api/health")
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@bp.get("/api/version")
def version() -> ResponseReturnValue:
    """The release and the build that run."""
    return {"version": RELEASE, "build": build_id()}


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 if every part can be used, or could in the last CACHE_SECONDS; otherwise 503, naming the others.

    Database and disk are written to, because reading from either says nothing about that.
    """
    extensions = current_app.extensions
    parts = [
        Part("database", _write_to_database, "database_errors"),
        Part("disk", _write_to_disk),
        Part("storage", services().store.check, "store_errors"),
    ]
    if time.monotonic() < extensions.get(READY_UNTIL, 0.0):
        return {"status": "ok"} | {part.name: "ok" for part in parts}
    broken = [part for part in parts if not _is_usable(part)]
    states = {part.name: "failed" if part in broken else "ok" for part in parts}
    if not broken:
        extensions[READY_UNTIL] = time.monotonic() + CACHE_SECONDS
        return {"status": "ok"} | states
    names = " and ".join(part.name for part in broken)
    sentence = f"This cannot be used at the moment: {names}."
    body = {"status": "unavailable", "error": sentence, "code": f"{broken[0].name}_unavailable"}
    return body | states, 503, {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}


def _write_to_database() -> None:
    with db.engine.begin() as connection:
        connection.execute(WRITE)


def _write_to_disk() -> None:
    with tempfile.TemporaryFile(dir=services().config.data_dir) as file:
        file.write(bytes(DISK_BYTES))
        file.flush()
        os.fsync(file.fileno())


def _is_usable(part: Part) -> bool:
    """Checks a part in a thread, because a store may hang for minutes."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            with app.app_context():
                part.check()
        except Exception as error:
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    Thread(target=run, daemon=True).start()
    try:
        outcome.result(TIMEOUT_SECONDS)
    except Exception as error:
        logger.error("not ready, the %s failed: %s", part.name, _reason(error))
        if part.failure:
            count(part.failure)
        return False
    return True


def _reason(error: Exception) -> str:
    match error:
        case FutureTimeout():
            return f"no answer within {TIMEOUT_SECONDS} seconds"
        case StorageError():
            return str(error)
        case OSError():
            return describe(error)
        case _:
            return reason_of(error, db.engine.url)
