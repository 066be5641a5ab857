"""The migrations, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, text

from app.db.extensions import db
from tests.conftest import running_app
from tests.support.paths import ROOT

MIGRATIONS = str(ROOT / "migrations")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of an app whose database has nothing in it."""
    settings = {"DATA_DIR": str(tmp_path)}
    if request.param == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("postgres_database")
        with running_app(settings) as app, app.app_context():
            downgrade(directory=MIGRATIONS, revision="base")
    return settings


def test_upgrading_makes_just_the_tables_of_the_models(empty: dict[str, str]) -> None:
    with running_app(empty) as app, app.app_context():
        upgrade(directory=MIGRATIONS)
        check(directory=MIGRATIONS)
        columns = {column["name"] for column in inspect(db.engine).get_columns("shares")}
    assert {"share_id", "session_id", "secret", "created_at"} <= columns


def test_upgrading_twice_changes_nothing(empty: dict[str, str]) -> None:
    with running_app(empty) as app, app.app_context():
        upgrade(directory=MIGRATIONS)
        upgrade(directory=MIGRATIONS)


def test_a_release_that_is_too_old_for_the_database_names_the_newer_one(empty: dict[str, str]) -> None:
    with running_app(empty) as app, app.app_context():
        upgrade(directory=MIGRATIONS)
        with db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0099_later'")
            connection.exec_driver_sql("UPDATE schema_release SET release = '7.1'")
        with pytest.raises(SystemExit, match=r"migrated by 7\.1 \(0099_later\)"):
            upgrade(directory=MIGRATIONS)


def test_downgrading_leaves_nothing_behind(empty: dict[str, str]) -> None:
    with running_app(empty) as app, app.app_context():
        upgrade(directory=MIGRATIONS)
        downgrade(directory=MIGRATIONS, revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}


def test_shares_of_before_keep_what_they_have_on_the_way_there_and_back(empty: dict[str, str]) -> None:
    before = {
        "share_id": "abcdefgh",
        "session_id": "ses_1",
        "secret": "x",
        "title": "A title",
        "audience": "link",
    }
    insert = text(
        "INSERT INTO shares (share_id, session_id, secret, created_at, last_link_at, title, audience) "
        "VALUES (:share_id, :session_id, :secret, '2026-11-01 10:00:00', '2026-11-01 10:00:00', "
        ":title, :audience)"
    )
    row = text("SELECT share_id, session_id, secret, title, audience FROM shares")
    new = text("SELECT member, custom_title, views, upload_bytes FROM shares")
    with running_app(empty) as app, app.app_context():
        upgrade(directory=MIGRATIONS, revision="0007_audience")
        with db.engine.begin() as connection:
            connection.execute(insert, before)
        upgrade(directory=MIGRATIONS)
        with db.engine.begin() as connection:
            assert connection.execute(row).one()._asdict() == before
            assert connection.execute(new).one()._asdict() == {
                "member": None,
                "custom_title": None,
                "views": 0,
                "upload_bytes": None,
            }
            connection.execute(text("UPDATE shares SET member = 'somebody', views = 3, upload_bytes = 5"))
        downgrade(directory=MIGRATIONS, revision="0007_audience")
        with db.engine.begin() as connection:
            assert connection.execute(row).one()._asdict() == before
