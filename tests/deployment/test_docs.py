"""The documentation: every command in it is run here as it stands, or named with why it cannot be."""

from __future__ import annotations

import getpass
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask.testing import FlaskClient

from app.lib.release import RELEASE
from docs.__main__ import PAGE, configuration
from tests.conftest import running_app
from tests.support.client import share
from tests.support.optional import CURL, ROOT_USER, require
from tests.support.paths import ROOT
from tests.support.recorded import document, document_bytes
from tests.support.servers import answers, free_ports, wait_until
from tests.support.servers.gunicorn import environment, gunicorn
from tests.support.sync_batches import checkpoint, shared
from tests.support.walkthrough import DOCS, NOT_HERE, blocks, checkout, run

SESSION = document_bytes("rate-limit-feature")
READY = '{"database":"ok","disk":"ok","status":"ok","storage":"ok"}'
TRIED = {
    # In test_administration_docs.py.
    "administration.md": 8,
    "quick-start.md": 1,
    "install.md": 4,
    "install-with-compose.md": 1,
    "monitoring.md": 3,
    "backup.md": 5,
    "upgrading.md": 1,
}


@contextmanager
def all_of(
    command: list[str], folder: Path, env: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A command with all that it starts, until the block ends, and the log of that."""
    log = folder / "command.log"
    with log.open("wb") as output:
        options = {"stdout": output, "stderr": output, "cwd": folder, "env": env}
        process = subprocess.Popen(command, start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        yield process, log
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def test_every_block_of_commands_is_tried_or_named() -> None:
    counted = {page.name: len(blocks(page.name)) for page in DOCS.glob("*.md")}
    assert {page: count for page, count in counted.items() if count} == TRIED
    for page, words in NOT_HERE:
        assert f"```sh\n{words}" in (DOCS / page).read_text()


def test_the_reference_is_that_of_the_settings() -> None:
    assert PAGE.read_text() == configuration(), "run `make docs`"


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*DOCS.glob("*.md"), ROOT / "README.md"]
    for page in pages:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
    assert {page.name for page in DOCS.glob("*.md")} == {
        "README.md",
        *re.findall(r"\]\(([a-z-]+\.md)\)", (DOCS / "README.md").read_text()),
    }


def test_settings_and_files_that_pages_name_exist() -> None:
    reference = configuration()
    for page in DOCS.glob("*.md"):
        text = page.read_text()
        for name in re.findall(
            r"`((?:S3|RATELIMIT|DATABASE|BASE|LOG|METRICS|TRUSTED)_[A-Z0-9_]*[A-Z])\b", text
        ):
            assert f"`{name}`" in reference, f"{page.name}: {name}"
        for name in re.findall(
            r"`(?:/opt/better-share/)?((?:app|benchmarks|deploy|migrations|plugin|tests)/[\w./-]+)`", text
        ):
            assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_monitoring(tmp_path: Path) -> None:
    ready, metrics, version = blocks("monitoring.md")
    with gunicorn(tmp_path, METRICS_ENABLED="true") as address:
        here = ("http://127.0.0.1:8000", address)
        # On a busy machine one that has just started may be too slow for it at first.
        wait_until(lambda: run(ready.replace(*here), tmp_path).strip() == READY, lambda: "it is not ready")
        run(metrics.replace(*here), tmp_path)
        assert json.loads(run(version.replace(*here), tmp_path))["version"] == RELEASE


def test_a_backup_brings_every_page_back(settings: dict[str, str], tmp_path: Path) -> None:
    _, save, restore, restore_older, check = blocks("backup.md")
    flask = {**settings, "FLASK_APP": str(ROOT / "wsgi.py")}
    with running_app(settings) as app:
        share(app.test_client(), SESSION)
        before = page_of(app.test_client())
    run(save, tmp_path, **flask)
    for command in (restore, restore_older):
        shutil.rmtree(settings["DATA_DIR"])
        assert "1 shares, 1 documents" in run(command, tmp_path, **flask)
        assert run(check, ROOT, **settings) == 2 * "0 shares differ, 0 repaired\n"
        with running_app(settings) as app:
            assert page_of(app.test_client()) == before


def page_of(client: FlaskClient) -> str:
    """A page, without the version of its document, which in a folder is that of the file."""
    page = client.get("/share/GhIjKlMn")
    assert page.status_code == 200
    return re.sub(r'data-etag="[^"]*"', "", page.text)


def test_the_service_is_backed_up_as_written(settings: dict[str, str], tmp_path: Path) -> None:
    require(ROOT_USER)
    save, *_ = blocks("backup.md")
    page = (DOCS / "backup.md").read_text()
    [job] = re.findall(r"^```\n\d+ \d+ \* \* \* root (.+)\n```", page, re.MULTILINE)
    with running_app(settings) as app:
        share(app.test_client(), SESSION)
    installed, env, folder = checkout(tmp_path), tmp_path / "better-share.env", tmp_path / "backups"
    env.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    script = installed / "deploy/flask.sh"
    text = script.read_text().replace("/etc/better-share.env", str(env))
    script.write_text(text.replace("-u better-share", f"-u {getpass.getuser()}"))
    for command in (save, job):
        here = command.replace("/opt/better-share", str(installed))
        here = here.replace("/var/backups/better-share", str(folder))
        here = here.replace("-o better-share", f"-o {getpass.getuser()}")
        assert "1 shares, 1 documents" in run(here, tmp_path)
    assert len(list((folder / "snapshots").iterdir())) == 2


def test_going_back_to_the_release_before_takes_synced_sessions_along(settings: dict[str, str]) -> None:
    [back] = blocks("upgrading.md")
    with running_app(settings) as app:
        native = shared(app.test_client(), document("rate-limit-feature"))
        checkpoint(app, native)
    assert "1 sessions written back" in run(back, ROOT, **settings)
    stored = Path(settings["DATA_DIR"], "documents", "sessions", f"{native['id']}.json")
    messages = json.loads(gzip.decompress(stored.read_bytes()))["messages"]
    assert len(messages) == len(document("rate-limit-feature")["messages"])


def test_the_quick_start_serves(tmp_path: Path) -> None:
    [start] = blocks("quick-start.md")
    require(CURL)
    checkout(tmp_path)
    [port] = free_ports(1)
    env = environment({"PORT": str(port), "REPOSITORY": "here"})
    env["PATH"] = f"{tmp_path / 'bin'}:{env['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", start]
    with all_of(command, tmp_path, env) as (process, log):
        asked = f"curl -sS http://127.0.0.1:{port}/readyz"
        wait_until(lambda: answers(port), log.read_text, lambda: process.poll() is None)
        wait_until(lambda: run(asked, tmp_path).strip() == READY, log.read_text)
    assert (tmp_path / "better-share/data/better-share.db").exists()


def test_compose_has_its_secrets_and_a_certificate(tmp_path: Path) -> None:
    [prepare] = blocks("install-with-compose.md")
    checkout(tmp_path)
    run(prepare, tmp_path, REPOSITORY="here")
    secrets = (tmp_path / "better-share/deploy/.env").read_text()
    assert re.search(r"^S3_SECRET=[0-9a-f]{48}$", secrets, re.MULTILINE)
    compose = (ROOT / "deploy/compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+):\?\}", compose)) == set(re.findall(r"^(\w+)=", secrets, re.MULTILINE))
    assert (tmp_path / "better-share/deploy/tls/fullchain.pem").exists()
