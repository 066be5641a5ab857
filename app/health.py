"""Blueprint `health`: whether the process lives, and whether what it needs can be reached."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from app.extensions import db
from app.parts import parts

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@bp.get("/api/health")
def alive() -> ResponseReturnValue:
    return {"status": "ok"}


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 when the database and the store answer; their errors become 503 like everywhere else."""
    db.session.execute(text("SELECT 1"))
    parts().store.check()
    return {"status": "ok"}
