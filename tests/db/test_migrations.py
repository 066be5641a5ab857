"""The migrations, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect

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


def test_downgrading_leaves_nothing_behind(empty: dict[str, str]) -> None:
    with running_app(empty) as app, app.app_context():
        upgrade(directory=MIGRATIONS)
        downgrade(directory=MIGRATIONS, revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
