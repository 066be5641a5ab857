"""`flask redact`: what the server removes from a text, and why."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask

from config import ConfigError
from tests.conftest import running_app
from tests.redaction.kinds import ALNUM, pick

TOKEN = "ghp_" + pick(Random(1), ALNUM, 36)
OWN = "acme_" + pick(Random(2), ALNUM, 8)
TEXT = f"first line\nTOKEN={TOKEN}\nkey of acme: {OWN}\n"
FORMATS = [{"name": "ACME token", "prefix": ["acme_"], "alphabet": "A-Za-z0-9", "length": 8}]


def redact(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["redact", *arguments, "-"], input=TEXT)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_text_is_printed_without_its_secrets(app: Flask) -> None:
    assert redact(app) == TEXT.replace(TOKEN, "[redacted:github-token]")


def test_each_removed_part_is_explained_without_being_shown(app: Flask) -> None:
    [line] = redact(app, "--explain").splitlines()
    assert line.split()[:4] == ["2", "40", "characters", "github-token"]
    assert "GitHub token, " in line
    assert "Value of a secret name" in line
    assert TOKEN[:8] not in line


def test_ones_own_formats_are_removed_too(settings: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "formats.json"
    file.write_text(json.dumps(FORMATS))
    with running_app({**settings, "SHARE_REDACT_FORMATS": str(file)}) as app:
        assert redact(app).endswith("key of acme: [redacted:acme-token]\n")


@pytest.mark.parametrize(
    "formats",
    [
        "no JSON",
        "{}",
        json.dumps([{**FORMATS[0], "alphabet": "a-z]("}]),
        json.dumps([{**FORMATS[0], "prefix": []}]),
        json.dumps([{**FORMATS[0], "length": [9, 8]}]),
        json.dumps([{**FORMATS[0], "pattern": ".*"}]),
    ],
)
def test_a_wrong_file_of_formats_is_refused(settings: dict[str, Any], tmp_path: Path, formats: str) -> None:
    file = tmp_path / "formats.json"
    file.write_text(formats)
    with (
        pytest.raises(ConfigError, match="SHARE_REDACT_FORMATS"),
        running_app({**settings, "SHARE_REDACT_FORMATS": str(file)}),
    ):
        pass
