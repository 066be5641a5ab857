"""What a worker does before its first request."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import event

from app.db.extensions import db
from app.share.warmup import warm_worker


def test_a_worker_has_a_connection_to_the_database_before_its_first_request(app: Flask) -> None:
    warm_worker(app)
    connections: list[object] = []
    with app.app_context():
        event.listen(db.engine, "connect", lambda connection, _record: connections.append(connection))
    assert app.test_client().get("/share/unknown1").status_code == 404
    assert connections == []
