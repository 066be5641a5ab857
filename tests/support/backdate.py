"""Shares as they are after a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask

from app.db.extensions import db
from app.db.models import Share


def backdate(app: Flask, age: timedelta, share_id: str = "GhIjKlMn") -> None:
    """Makes the last upload link of a share as old as that, and its end, if it has ended."""
    with app.app_context():
        found = db.session.get_one(Share, share_id)
        found.last_link_at = datetime.now(UTC) - age
        found.deleted_at = found.deleted_at and found.last_link_at
        db.session.commit()
