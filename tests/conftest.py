from __future__ import annotations

import shutil
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from app import create_app
from app.db.extensions import db
from app.services.container import services
from config import read_config
from tests.support.paths import ROOT
from tests.support.servers.postgres import postgres, run_sql
from tests.support.servers.s3 import s3_client, s3_server, stored_keys

# Parts that only servers provide; tests that use them need no marker of their own.
SERVER_FIXTURES = {
    "postgres_url",
    "postgres_database",
    "empty_postgres",
    "s3_peer",
    "s3_settings",
    "empty_bucket",
    "s3_filer",
}
SERVER_FOLDERS = {"browser", "end_to_end", "deployment", "faults"}
# Ends what a test has left behind as well.
EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid != pg_backend_pid();
    FOR name IN
        SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'schema_release')
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
END $$
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that start a server as `server`; `make test-quick` leaves them out."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        params = " ".join(map(str, item.callspec.params.values())) if hasattr(item, "callspec") else ""
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        if (
            names & SERVER_FIXTURES
            or {"postgresql", "s3", "plugin"} & set(params.split())
            or folder in SERVER_FOLDERS
        ):
            item.add_marker("server")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says once for each missing part how many tests were skipped, and how to install it."""
    skipped = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if skipped:
        terminalreporter.section("not tested here")
    for reason, count in sorted(skipped.items()):
        part, _, how_to_install = reason.partition(": ")
        terminalreporter.line(f"{part}: {count} test{'s' if count > 1 else ''}; {how_to_install}")


@contextmanager
def running_app(settings: dict[str, str]) -> Iterator[Flask]:
    """An app that lets go of its database connections in the end."""
    app = create_app(read_config(settings))
    app.testing = True
    try:
        yield app
    finally:
        with app.app_context():
            services().connection.close()
            services().counters.close()
            db.engine.dispose()


def _migrate(settings: dict[str, str]) -> None:
    with running_app(settings) as app, app.app_context():
        upgrade(directory=str(ROOT / "migrations"))


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server with the migrated database `migrated` to make others from."""
    with postgres() as url:
        run_sql(url, "CREATE DATABASE migrated")
        _migrate({"DATABASE_URL": f"{url}/migrated", "DATA_DIR": str(tmp_path_factory.mktemp("data"))})
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    _migrate({"DATA_DIR": str(folder)})
    return folder / "better-share.db"


@pytest.fixture(scope="session")
def s3_peer() -> Iterator[tuple[dict[str, str], str]]:
    with s3_server() as peer:
        yield peer


@pytest.fixture
def s3_settings(s3_peer: tuple[dict[str, str], str]) -> dict[str, str]:
    return s3_peer[0]


@pytest.fixture
def empty_bucket(s3_settings: dict[str, str]) -> dict[str, str]:
    """The settings as above, once nothing is left of other tests."""
    client = s3_client(s3_settings)
    for key in stored_keys(s3_settings):
        client.delete_object(Bucket=s3_settings["S3_BUCKET"], Key=key)
    return s3_settings


@pytest.fixture
def s3_filer(s3_peer: tuple[dict[str, str], str]) -> str:
    return s3_peer[1]


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    run_sql(postgres_url, f"CREATE DATABASE {name} TEMPLATE migrated")
    yield f"{postgres_url}/{name}"
    run_sql(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _reused_database(postgres_url: str) -> str:
    """The URL of a migrated database for many tests: making one takes longer than most of them."""
    name = f"reused_{uuid.uuid4().hex}"
    run_sql(postgres_url, f"CREATE DATABASE {name} TEMPLATE migrated")
    return f"{postgres_url}/{name}"


@pytest.fixture
def empty_postgres(_reused_database: str) -> Iterator[str]:
    """The URL of a migrated database without rows; the test does not change its tables."""
    yield _reused_database
    server, _, name = _reused_database.rpartition("/")
    run_sql(server, EMPTY, name)


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path) -> dict[str, str]:
    """The environment of the test's app: a migrated SQLite database, documents on disk.

    `@pytest.mark.settings(NAME="value")` on a test, or as `pytestmark` of a module, adds to it.
    """
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(migrated_sqlite, data)
    settings = {"DATA_DIR": str(data), "BASE_URL": "https://share.example.com"}
    for mark in reversed(list(request.node.iter_markers("settings"))):
        settings |= mark.kwargs
    return settings


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest, settings: dict[str, str]) -> dict[str, str]:
    """Runs the test on SQLite and on PostgreSQL; `settings` has the database.

    Used as `pytestmark = on_both_databases`; `on_sqlite` on a test of such a module leaves PostgreSQL out.
    """
    if request.param == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("empty_postgres")
    return settings


@pytest.fixture
def app(settings: dict[str, str]) -> Iterator[Flask]:
    with running_app(settings) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Writes a line that is also seen when the test passes."""

    def write(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return write
