"""What `make` says on a machine that is not ready, and how it keeps `.venv` usable."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.browser import chromium
from tests.support.paths import ROOT
from tests.support.servers.gunicorn import environment


@pytest.mark.parametrize(
    ("lacks", "sentence"),
    [
        ("version_info", "Better Share needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."),
        ("ensurepip", "Python cannot make virtual environments here: apt-get install python3-venv"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(tmp_path: Path, lacks: str, sentence: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$2" in *{lacks}*) exit 1;; esac\n')
    python.chmod(0o755)
    # Without what an outer `make test` leaves in the surroundings.
    surroundings = environment({})
    command = ["make", "run", f"PYTHON={python}"]
    ended = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True)
    assert ended.returncode != 0
    assert ended.stdout.splitlines() == [sentence]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout whose lock file names one small package."""
    folder = tmp_path / "checkout"
    (folder / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "deploy/install.py", folder / "deploy")
    lock(folder, write_wheel(tmp_path, "1.0"))
    return folder


def write_wheel(folder: Path, version: str) -> Path:
    """A package that says its version (https://packaging.python.org/en/latest/specifications/binary-distribution-format/)."""
    wheel = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def lock(folder: Path, wheel: Path) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    version = wheel.name.split("-")[1]
    lines = f"--no-index\n--find-links {wheel.parent}\ntiny=={version} --hash=sha256:{digest}\n"
    (folder / "requirements.txt").write_text(lines)


def install(folder: Path) -> str:
    ended = subprocess.run(
        ["make", "install"], cwd=folder, env=environment({}), capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def version_there(folder: Path) -> str:
    command = [folder / ".venv/bin/python", "-c", "import tiny; print(tiny.version)"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_installing_shows_progress_and_happens_once(folder: Path) -> None:
    assert install(folder).splitlines() == [
        "Installing into .venv: 1 of 1 packages fetched",
        "Installing into .venv: 1 packages fetched, unpacking them",
    ]
    assert version_there(folder) == "1.0"
    assert install(folder) == ""


def test_another_lock_file_is_installed(folder: Path, tmp_path: Path) -> None:
    install(folder)
    lock(folder, write_wheel(tmp_path, "2.0"))
    assert "making it again" not in install(folder)
    assert version_there(folder) == "2.0"


def upgrade_python(folder: Path) -> Path:
    [library] = (folder / ".venv/lib").iterdir()
    library.rename(library.with_name("python3.1"))
    return folder


def remove_python(folder: Path) -> Path:
    python = folder / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    return folder


def move(folder: Path) -> Path:
    return folder.rename(folder.with_name("moved"))


@pytest.mark.parametrize("break_it", [upgrade_python, remove_python, move])
def test_a_broken_environment_is_made_again(folder: Path, break_it: Callable[[Path], Path]) -> None:
    install(folder)
    folder = break_it(folder)
    assert install(folder).startswith(".venv is of another Python or another folder; making it again\n")
    assert version_there(folder) == "1.0"
    asked = subprocess.run([folder / ".venv/bin/pip", "--version"], capture_output=True, text=True)
    assert str(folder) in asked.stdout


def test_make_alone_lists_the_commands() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, env=environment({}), capture_output=True, text=True).stdout
    assert [line.split()[1] for line in listed.splitlines()][:3] == ["help", "run", "install"]
    assert "PORT=8001" in listed


def test_clean_leaves_the_data(folder: Path) -> None:
    install(folder)
    (folder / "data/__pycache__").mkdir(parents=True)
    subprocess.run(["make", "clean"], cwd=folder, env=environment({}), check=True)
    assert sorted(path.name for path in folder.iterdir()) == [
        "Makefile",
        "data",
        "deploy",
        "requirements.txt",
    ]
    assert (folder / "data/__pycache__").exists()


def test_a_benchmark_without_a_browser_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.browser.CHROMIUM", "/nowhere/chromium")
    with pytest.raises(SystemExit, match=r"apt-get install chromium.*OPTIONS=--without-browser"), chromium():
        pass
