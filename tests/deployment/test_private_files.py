"""What a server makes is for its user only, and root leaves nothing in its folder that it could not use."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from pathlib import Path

from app.lib.data_dir import make_private
from tests.support.optional import ROOT_USER, require
from tests.support.paths import ROOT
from tests.support.servers.gunicorn import PROGRAMS, environment, gunicorn


def shared_with_others(folder: Path) -> list[str]:
    return [str(path) for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o077]


def flask(data: Path, *words: str) -> None:
    command = [PROGRAMS / "flask", "--app", "wsgi", *words]
    env = environment({"DATA_DIR": str(data)})
    subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True, umask=0o022)


def test_all_that_a_server_makes_is_private(tmp_path: Path) -> None:
    with gunicorn(tmp_path, METRICS_ENABLED="true"):
        made = {path.name for path in (tmp_path / "data").iterdir()}
        assert {"better-share.db", "secret_key", "migrations.lock"} <= made
        assert shared_with_others(tmp_path / "data") == []


def test_a_folder_and_a_database_that_others_could_read_become_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    flask(data, "db", "upgrade")
    data.chmod(0o755)
    (data / "better-share.db").chmod(0o664)
    flask(data, "db", "upgrade")
    assert shared_with_others(data) == []


def test_what_cannot_be_made_private_is_a_warning(tmp_path: Path) -> None:
    require(ROOT_USER)
    (tmp_path / "better-share.db").touch(mode=0o644)
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(tmp_path / "better-share.db", nobody, -1)
    code = (
        "import sys; from pathlib import Path; from app.lib.data_dir import make_private;"
        "folder = Path(sys.argv[1]); print(*make_private(folder, [folder / 'better-share.db']))"
    )
    command = ["setpriv", "--bounding-set", "-fowner", sys.executable, "-c", code, tmp_path]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == (
        f"{str(tmp_path / 'better-share.db')!r} can be read by others, which cannot be changed: "
        "Operation not permitted.\n"
    )


def test_files_that_are_missing_or_private_already_are_left_alone(tmp_path: Path) -> None:
    private = tmp_path / "better-share.db"
    private.touch(mode=0o400)
    assert list(make_private(tmp_path, [private, tmp_path / "missing"])) == []
    assert private.stat().st_mode & 0o777 == 0o400


def test_a_command_of_root_acts_as_the_owner_of_the_folder(tmp_path: Path) -> None:
    require(ROOT_USER)
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)
    for folder in list(tmp_path.parents)[:2]:
        folder.chmod(0o711)
    command = [PROGRAMS / "flask", "shares", "stats"]
    env = environment({"DATA_DIR": str(tmp_path), "SECRET_KEY": "k" * 32})
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    # There is no database yet. A Python in root's own home, which others may not use, is named instead.
    assert re.fullmatch(
        "Error: (The database failed: no such table|.* belongs to nobody, who may not use).*\n", ran.stderr
    )
    assert {path.owner() for path in tmp_path.iterdir()} <= {"nobody"}
