"""A server that cannot start says why in one sentence, without a traceback."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.privileges import lock_up, unprivileged
from tests.support.servers.gunicorn import PROGRAMS, environment
from tests.support.servers.postgres import run_sql

Prepare = Callable[[Path], object]


def start(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    surroundings = environment({"WEB_CONCURRENCY": "1", **settings})
    surroundings["PATH"] = f"{PROGRAMS}:{surroundings['PATH']}"
    return subprocess.run(
        [*unprivileged(), ROOT / "deploy/start.sh"], env=surroundings, capture_output=True, text=True
    )


def sentence(ended: subprocess.CompletedProcess[str]) -> str:
    """The sentence of a start that failed, and nothing else."""
    assert ended.returncode == 1
    assert ended.stderr.startswith("Better Share cannot start: "), ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://me:hunter2@127.0.0.1:1/name", "Connection refused"),
        ("postgresql://me:hunter2@nowhere.invalid/name", 'could not translate host name "nowhere.invalid"'),
        ("postgresql://me:hunter2@127.0.0.1/name?nonsense=1", 'invalid connection option "nonsense"'),
        ("sqlite:////nowhere/name.db", "SQLITE_CANTOPEN at /nowhere/name.db"),
    ],
)
def test_a_database_out_of_reach_is_named_with_the_reason(tmp_path: Path, url: str, reason: str) -> None:
    said = sentence(start({"DATA_DIR": str(tmp_path), "DATABASE_URL": url}))
    assert reason in said
    assert "hunter2" not in said


def test_a_database_that_refuses_its_user_is_named_with_the_reason(tmp_path: Path, postgres_url: str) -> None:
    name = f"refused_{uuid.uuid4().hex}"
    run_sql(postgres_url, f"CREATE ROLE {name} LOGIN")
    run_sql(postgres_url, f"CREATE DATABASE {name}")
    address = postgres_url.replace("test@", f"{name}@")
    settings = {"DATA_DIR": str(tmp_path)}
    assert "does not exist" in sentence(start({**settings, "DATABASE_URL": f"{address}/missing_{name}"}))
    refused = sentence(start({**settings, "DATABASE_URL": f"{address}/{name}"}))
    assert "InsufficientPrivilege 42501" in refused
    run_sql(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")
    run_sql(postgres_url, f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("name", "prepare", "reason"),
    [
        (".", lock_up, "does not belong to the user who runs this server"),
        (
            "secret_key",
            lambda path: (path.write_text("k" * 32), lock_up(path)),
            "does not belong to the user",
        ),
        ("better-share.db", lambda path: (path.touch(), lock_up(path)), "run 'chown -R"),
        ("documents", lambda path: (path.mkdir(), lock_up(path)), "run 'chown -R"),
        ("migrations.lock", lambda path: (path.touch(), lock_up(path)), "run 'chown -R"),
        ("better-share.db", Path.mkdir, "SQLITE_CANTOPEN"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, prepare: Prepare, reason: str
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    prepare(data / name)
    said = sentence(start({"DATA_DIR": str(data)}))
    assert reason in said
    assert str(data / name) in said
    data.chmod(0o700)


def test_what_others_put_into_the_folder_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    lock_up(tmp_path / "lost+found")
    surroundings = environment({"DATA_DIR": str(tmp_path)})
    subprocess.run(
        [*unprivileged(), PROGRAMS / "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=surroundings,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "better-share.db").exists()
