"""What `make` says on a machine that is not ready."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

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
