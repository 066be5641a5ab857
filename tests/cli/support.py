"""What the tests of `flask shares` have in common."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask

from app.db.extensions import db
from app.db.models import Share
from app.storage import StorageError
from tests.support.recorded import document_bytes

SMALL, LARGE = document_bytes("single-message"), document_bytes("rate-limit-feature")
DAY = timedelta(days=1)
Run = Callable[..., Result]


def ids(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [entry["shareId"] for entry in json.loads(result.stdout)]


def removed(result: Result) -> dict[str, list[str]]:
    assert result.exit_code == 0, result.output
    found: dict[str, list[str]] = json.loads(result.stdout)["removed"]
    return {kind: names for kind, names in found.items() if names}


def age(app: Flask, share_id: str, by: timedelta) -> None:
    """Makes a share, or its tombstone, and its document that much older."""
    with app.app_context():
        found = db.session.get_one(Share, share_id)
        for name in ("created_at", "last_link_at", "expires_at", "deleted_at"):
            if known := getattr(found, name):
                setattr(found, name, known - by)
        db.session.commit()
    path = document_path(app, share_id)
    if path.exists():
        then = path.stat().st_mtime - by.total_seconds()
        os.utime(path, (then, then))


def document_path(app: Flask, share_id: str) -> Path:
    return Path(app.config["DATA_DIR"], "documents", "sessions", f"{share_id}.json")


def stray(app: Flask, name: str, by: timedelta) -> Path:
    """A file among the documents that belongs to no share."""
    path = Path(app.config["DATA_DIR"], "documents", "sessions", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SMALL)
    then = time.time() - by.total_seconds()
    os.utime(path, (then, then))
    return path


def is_there(app: Flask, share_id: str) -> bool:
    with app.app_context():
        return db.session.get(Share, share_id) is not None


def refuse(*_: Any) -> None:
    raise StorageError("out of order")
