"""The environment file of the service means the same to systemd, to `deploy/shares.sh` and to a backup."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        (
            "NAME=postgresql://me:a&b$c%d@db/x?sslmode=require&x=1",
            "postgresql://me:a&b$c%d@db/x?sslmode=require&x=1",
        ),
        ("NAME=two words  ", "two words"),
        ("NAME=it's $HOME `id` $(id) ; # no comment", "it's $HOME `id` $(id) ; # no comment"),
        ('NAME=say "hello"', 'say "hello"'),
        ("NAME='single \"quoted\" $HOME \\n '", 'single "quoted" $HOME \\n '),
        ('NAME="double \\"quoted\\" \\$HOME \\n \'x\'"', "double \"quoted\" $HOME \\n 'x'"),
        ("NAME=back\\\\slash", "back\\slash"),
        ("NAME=first \\\n  second", "first   second"),
        ("NAME='of\ntwo lines'", "of\ntwo lines"),
        ("  NAME = value", "value"),
        ("# NAME=comment\nNAME=value", "value"),
        ("; NAME=comment\n\nNAME=value\nnonsense", "value"),
        ("NAME=", ""),
        ("NAME=one\nNAME=two", "two"),
    ],
)
def test_a_value_is_read_as_by_systemd(tmp_path: Path, line: str, value: str) -> None:
    file = tmp_path / "settings.env"
    file.write_text(f"BEFORE=1\n{line}\nAFTER=2\n")
    script = f'eval "$({ROOT}/deploy/environment.py {file})"; printf "%s|%s|%s" "$BEFORE" "$NAME" "$AFTER"'
    ran = subprocess.run(
        ["/bin/sh", "-euc", script], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"1|{value}|2"
