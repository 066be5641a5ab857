"""`flask shares check`: a database and a store that were restored from backups of different times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import downgrade, upgrade
from sqlalchemy import delete, insert, select

from app.db.extensions import db
from app.db.models import Share, ShareEvent
from app.services.container import services
from app.services.shares.object_cleanup import named_keys
from app.storage import objects_of
from tests.cli.support import Run, stray
from tests.conftest import running_app
from tests.support import client as uploads
from tests.support.marks import on_both_databases, on_sqlite, without_rate_limits
from tests.support.paths import ROOT
from tests.support.sync_batches import SESSION, checkpoint, document_of, first, message_items, shared, sync

pytestmark = [on_both_databases, without_rate_limits]
MIGRATIONS = str(ROOT / "migrations")
MESSAGES = SESSION["messages"]


class Backup:
    """The rows of a database, as `pg_dump` would save them."""

    def __init__(self, app: Flask) -> None:
        with app.app_context():
            self._rows = {
                model: [dict(row._mapping) for row in db.session.execute(select(model.__table__))]
                for model in (Share, ShareEvent)
            }

    def restore(self, app: Flask) -> None:
        with app.app_context():
            for model, rows in self._rows.items():
                db.session.execute(delete(model))
                if rows:
                    db.session.execute(insert(model), rows)
            db.session.commit()


def lose_caches(app: Flask) -> None:
    with app.app_context():
        for cache_key in services().cache_keys():
            services().forget(cache_key)


def add(client: FlaskClient, share: dict[str, str], numbers: Sequence[int]) -> None:
    for number in numbers:
        assert sync(client, share, [*message_items(MESSAGES[number])]).status_code == 200


def ids(client: FlaskClient, share: dict[str, str]) -> list[str]:
    return [message["info"]["id"] for message in document_of(client, share)["messages"]]


def expected(count: int) -> list[str]:
    return [message["info"]["id"] for message in MESSAGES[:count]]


def test_a_database_older_than_the_store_hides_nothing_of_either(app: Flask, client: FlaskClient) -> None:
    share = shared(client, first(1))
    add(client, share, [1])
    backup = Backup(app)
    add(client, share, [2, 3, 4])
    checkpoint(app, share)
    backup.restore(app)
    lose_caches(app)
    assert ids(client, share) == expected(5)
    for number in range(5, 9):
        add(client, share, [number])
        assert ids(client, share) == expected(number + 1)
        assert MESSAGES[number]["info"]["id"] in client.get(f"/share/{share['id']}").text
    checkpoint(app, share)
    assert ids(client, share) == expected(9)


def test_what_was_lost_before_anybody_looked_is_found_and_repaired(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share = shared(client, first(1))
    backup = Backup(app)
    add(client, share, [1, 2])
    checkpoint(app, share)
    backup.restore(app)
    add(client, share, [3, 4, 5, 6])
    found = run("check")
    assert found.exit_code == 1
    assert f"{share['id']}: The storage has a newer checkpoint" in found.stdout or "syncs" in found.stdout
    repaired = run("check", "--repair")
    assert (repaired.exit_code, "(repaired)" in repaired.stdout) == (0, True)
    assert sorted(ids(client, share)) == expected(7)
    assert json.loads(run("check", "--json").stdout) == []


def test_a_store_older_than_the_database_is_read_as_far_as_it_goes(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share = shared(client, first(2))
    checkpoint(app, share)
    add(client, share, [2])
    checkpoint(app, share)
    add(client, share, [3])
    with app.app_context():
        services().store.delete(named_keys(db.session.get_one(Share, share["id"]))[0])
    assert ids(client, share) == [*expected(2), MESSAGES[3]["info"]["id"]]
    assert run("check").stdout.startswith(f"{share['id']}: Its checkpoint is not in the storage. (differs)")
    assert run("check", "--repair").exit_code == 0
    assert run("check").exit_code == 0
    assert ids(client, share) == [*expected(2), MESSAGES[3]["info"]["id"]]
    add(client, share, [4])
    assert ids(client, share)[-1] == MESSAGES[4]["info"]["id"]


def test_syncs_that_are_missing_from_the_database_are_named(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    share = shared(client, first(1))
    checkpoint(app, share)
    add(client, share, [1, 2, 3])
    with app.app_context():
        db.session.execute(delete(ShareEvent).where(ShareEvent.number == 3))
        db.session.commit()
    assert "1 syncs after its checkpoint are missing" in run("check").stdout
    assert run("check", "--repair").exit_code == 0
    assert run("check").exit_code == 0


def test_objects_of_a_deleted_share_are_removed_and_those_of_none_left_to_sweep(
    app: Flask, client: FlaskClient, run: Run
) -> None:
    uploads.delete(client, "deleted", uploads.create(client, "deleted").get_json()["secret"])
    left = [stray(app, name, timedelta()) for name in ("deleted.json", "nobodys.json")]
    found = run("check", "--repair")
    assert found.exit_code == 1
    assert "deleted: It is deleted, and has objects in the storage. (repaired)" in found.stdout
    assert "nobodys: There are objects in the storage, and no row" in found.stdout
    assert [path.exists() for path in left] == [False, True]


def test_going_back_a_release_needs_the_sessions_written_back(
    app: Flask, client: FlaskClient, run: Run, settings: dict[str, str]
) -> None:
    share = shared(client, first(2))
    checkpoint(app, share)
    add(client, share, [2])
    before = document_of(client, share)
    with app.app_context(), pytest.raises(SystemExit, match="prepare-downgrade"):
        downgrade(directory=MIGRATIONS, revision="0004_weight")
    with app.app_context():
        db.session.remove()
    assert run("prepare-downgrade").stdout == "1 sessions written back\n"
    with app.app_context():
        assert {info.key for info in objects_of(services().store, share["id"])} >= {
            f"sessions/{share['id']}.json"
        }
        downgrade(directory=MIGRATIONS, revision="0004_weight")
        upgrade(directory=MIGRATIONS)
    with running_app({**settings, "DATA_DIR": settings["DATA_DIR"]}) as again:
        lose_caches(again)
        assert document_of(again.test_client(), share) == before


@on_sqlite
def test_a_damaged_database_is_named_with_the_way_out(settings: dict[str, str]) -> None:
    path = Path(settings["DATA_DIR"], "better-share.db")
    data: Any = bytearray(path.read_bytes())
    data[100:4000] = bytes(3900)
    path.write_bytes(data)
    with (
        running_app(settings) as app,
        app.app_context(),
        pytest.raises(SystemExit, match=r"better-share\.db' is damaged .*docs/backup\.md"),
    ):
        upgrade(directory=MIGRATIONS)
