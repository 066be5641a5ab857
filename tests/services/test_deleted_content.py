"""Of a deleted share, no file of the server has anything left: no cache, no database, no log of one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.extensions import db
from app.db.models import ShareEvent
from app.services.maintenance import run_maintenance
from app.services.shares.object_cleanup import RETRY
from tests.support import client as uploads
from tests.support import recorded
from tests.support.marks import without_rate_limits
from tests.support.sync_batches import SESSION, SESSION_ID, checkpoint, code, create, first, items, sync

pytestmark = without_rate_limits
PIECE_BYTES = 48


def stored_pieces(app: Flask) -> Iterator[bytes]:
    """Pieces of what the event log has, as they are on disk."""
    with app.app_context():
        for batch in db.session.scalars(select(ShareEvent.items)):
            yield from (batch[start : start + PIECE_BYTES] for start in range(100, 2000, 400))


def found(settings: dict[str, str], pieces: list[bytes]) -> set[str]:
    """The names of files below DATA_DIR with any of the pieces in them."""
    files = [path for path in Path(settings["DATA_DIR"]).rglob("*") if path.is_file()]
    return {path.name for path in files if any(piece in path.read_bytes() for piece in pieces)}


def shared_by_opencode(app: Flask, client: FlaskClient) -> tuple[dict[str, str], list[bytes]]:
    """A share with a checkpoint, later batches and cached pages; and what files must not have later."""
    share = create(client, SESSION_ID)
    assert sync(client, share, items(SESSION)).status_code == 200
    pieces = [*stored_pieces(app)]
    checkpoint(app, share)
    assert sync(client, share, items(first(2))).status_code == 200
    for path in (f"/share/{share['id']}", f"/share/{share['id']}.md", f"/api/share/{share['id']}"):
        assert client.get(path).status_code == 200
    return share, [*pieces, *stored_pieces(app), SESSION_ID.encode(), SESSION["session"]["title"].encode()]


def delete(client: FlaskClient, share: dict[str, str]) -> None:
    answer = client.delete(f"/api/share/{share['id']}", json={"secret": share["secret"]})
    assert answer.status_code == 200


def test_nothing_of_a_synced_share_is_left_after_a_delete(
    app: Flask, client: FlaskClient, settings: dict[str, str]
) -> None:
    share, pieces = shared_by_opencode(app, client)
    assert found(settings, pieces)
    delete(client, share)
    assert found(settings, pieces) == set()
    assert code(client.get(f"/api/share/{share['id']}")) == (404, "not_found")


def test_a_log_that_others_read_is_emptied_soon_afterwards(
    app: Flask, client: FlaskClient, settings: dict[str, str]
) -> None:
    share, pieces = shared_by_opencode(app, client)
    [database] = Path(settings["DATA_DIR"]).glob("*.db")
    reader = sqlite3.connect(database, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM shares").fetchone()
    delete(client, share)
    assert found(settings, pieces)
    reader.close()
    with time_machine.travel(RETRY + timedelta(seconds=1)), app.app_context():
        run_maintenance()
    assert found(settings, pieces) == set()


def test_nothing_of_an_upload_is_left_after_a_delete(client: FlaskClient, settings: dict[str, str]) -> None:
    document = recorded.document_bytes("rate-limit-feature")
    secret = uploads.share(client, document)["secret"]
    for path in ("/share/GhIjKlMn", "/share/GhIjKlMn.md", "/share/GhIjKlMn/changes"):
        assert client.get(path).status_code == 200
    pieces = [document[start : start + PIECE_BYTES] for start in range(0, len(document), 1000)]
    pieces += [uploads.SESSION_ID.encode()]
    assert found(settings, pieces)
    assert uploads.delete(client, "GhIjKlMn", secret).status_code == 200
    assert found(settings, pieces) == set()


def test_sqlite_overwrites_what_it_deletes_however_it_was_built(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1
