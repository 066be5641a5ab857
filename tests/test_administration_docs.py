"""The commands in `docs/administration.md` and `docs/moving.md`, typed as they stand."""

from __future__ import annotations

import re
import subprocess
import textwrap
from pathlib import Path

from flask.testing import FlaskClient

from tests.client import share
from tests.conftest import running_app
from tests.recorded import document_bytes
from tests.servers.gunicorn import PROGRAMS, ROOT, environment

DOCUMENT = document_bytes("rate-limit-feature")


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
