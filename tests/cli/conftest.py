from __future__ import annotations

import pytest
from flask import Flask

from tests.cli.support import Run


@pytest.fixture
def run(app: Flask) -> Run:
    """Runs `flask shares` with the given arguments."""
    return lambda *words: app.test_cli_runner().invoke(args=["shares", *words])
