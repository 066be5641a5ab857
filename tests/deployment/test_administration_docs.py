"""The commands in `docs/administration.md` and `docs/moving.md`, typed as they stand."""

from __future__ import annotations

import getpass
import re
import subprocess
import textwrap
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from app.db.extensions import db
from app.db.models import Share
from tests.conftest import running_app
from tests.support.client import share
from tests.support.optional import ROOT_USER, require
from tests.support.paths import ROOT
from tests.support.recorded import document_bytes
from tests.support.servers.gunicorn import PROGRAMS, environment
from tests.support.walkthrough import checkout

DOCUMENT = document_bytes("rate-limit-feature")
# All that cron of Debian gives to a job of root's.
CRON = {"HOME": "/root", "LOGNAME": "root", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}


def scripts(name: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text()
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for block in blocks]


def run(script: str, folder: Path, **settings: str) -> str:
    env = environment(settings)
    env["PATH"] = f"{PROGRAMS}:{env['PATH']}"
    ran = subprocess.run(["bash", "-euc", script], cwd=folder, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_commands_of_administration_work_as_written(
    client: FlaskClient, settings: dict[str, str]
) -> None:
    share(client, DOCUMENT)
    output = "".join(run(script, ROOT, **settings) for script in scripts("administration.md"))
    assert "Add per-client rate limiting" in output
    assert "would delete GhIjKlMn\ndeleted GhIjKlMn\n" in output
    assert "expired shares: 0 removed" in output
    assert re.search(r"^alice:[\w-]{32}$", output, re.MULTILINE)
    assert client.get("/share/GhIjKlMn").status_code == 404


def test_cron_clears_away_as_written(
    app: Flask, client: FlaskClient, settings: dict[str, str], tmp_path: Path
) -> None:
    require(ROOT_USER)
    page = (ROOT / "docs/administration.md").read_text()
    [job] = re.findall(r"^```\n\d+ \d+ \* \* \* root (.+)\n```", page, re.MULTILINE)
    share(client, DOCUMENT)
    with app.app_context():
        db.session.get_one(Share, "GhIjKlMn").created_at -= timedelta(days=31)
        db.session.commit()

    installed, env = checkout(tmp_path), tmp_path / "better-share.env"
    # A shell would not read this one as it stands.
    more = {"SHARE_MAX_AGE": "30d", "S3_REGION": "a & b $HOME 'c' \"d\""}
    lines = [f"{name}={value}\n" for name, value in {**settings, **more}.items()]
    env.write_text("".join(lines))
    script = installed / "deploy/flask.sh"
    text = script.read_text().replace("/etc/better-share.env", str(env))
    script.write_text(text.replace("-u better-share", f"-u {getpass.getuser()}"))
    command = job.replace("/opt/better-share", str(installed))
    ran = subprocess.run(["/bin/sh", "-c", command], cwd="/", env=CRON, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "expired shares: 1 removed\n  GhIjKlMn\n" in ran.stdout
    assert "objects that no share needs: 0 removed\n" in ran.stdout


def test_moving_works_as_written(
    client: FlaskClient,
    settings: dict[str, str],
    postgres_url: str,
    postgres_database: str,
    empty_bucket: dict[str, str],
    tmp_path: Path,
) -> None:
    share(client, DOCUMENT)
    before = client.get("/share/GhIjKlMn.md").data
    for name in ("app", "migrations", "wsgi.py", "config.py", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    new = {**empty_bucket, "DATABASE_URL": postgres_database, "BASE_URL": settings["BASE_URL"]}
    (tmp_path / "new.env").write_text("".join(f"{name}={value}\n" for name, value in new.items()))
    [script] = scripts("moving.md")
    assert "shares moved: 1, documents moved: 1" in run(script, tmp_path)
    with running_app({**new, "DATA_DIR": settings["DATA_DIR"]}) as app:
        assert app.test_client().get("/share/GhIjKlMn.md").data == before
